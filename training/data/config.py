"""How the examples of the endless data are mixed."""

from __future__ import annotations

from dataclasses import dataclass

RATE = 44_100
"""Hz of all prepared music."""


@dataclass(frozen=True)
class MixingConfig:
    """How examples are made; probabilities lie between 0 and 1.

    Attributes:
        seconds: length of an example.
        batch: examples per batch.
        coherent: share of a batch whose sources are from one song; the rest is shuffled in groups of ``group``.
        rendered: probability that a song is a rendered one (with singing) instead of a recorded one.
        singing: probability that a recorded song's voice in a remix is replaced by singing.
        instrumental: probability that a rendered song has no voice.
        voice_speed: singing plays at a speed of its own within this range of its recorded one, which makes other singers of few.
        grooves: probability that the drums of a remix are a rendered drum performance.
        solos: probability that the other instruments of a remix are a recorded solo guitar.
        speed: probability that a song plays at another speed, within ``speed_range`` of its own.
        gain_db: gains of sources in remixes are drawn from ``-gain_db`` to ``gain_db``; half of that in coherent songs.
        tilt: probability that a source's low and high frequencies get different gains.
        equaliser: probability that a source gets a smooth random frequency response of ``equaliser_db`` (standard deviation).
        width: probability that a source's stereo width is changed, to mono up to 1.6 times as wide.
        shift: random shift of each source of a remix, in seconds (per source: erratum 30).
        collections: names of the prepared collections to learn from, such as those with an open licence; if empty, all of them.
    """

    seconds: float = 1.5
    batch: int = 8
    coherent: float = 0.5
    group: int = 4
    rendered: float = 0.35
    singing: float = 0.35
    instrumental: float = 0.2
    voice_speed: float = 0.0
    grooves: float = 0.15
    solos: float = 0.0
    speed: float = 0.4
    speed_range: float = 0.08
    gain_db: float = 6.0
    tilt: float = 0.0
    equaliser: float = 0.0
    equaliser_db: float = 3.5
    width: float = 0.0
    shift: float = 0.5
    collections: tuple[str, ...] = ()
