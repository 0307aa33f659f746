"""Ableton Link: tempo and beat shared with other programs on the network, through ``LinkPython-extern``. Owns no thread of Python's.

Link's own threads speak with the network. Its session has a tempo and a beat on the clock of each machine; whoever changes the tempo
changes it for all.
"""

from __future__ import annotations

import time

from rtaudio.audio.format import StemplayError
from rtaudio.audio.tempo import Tempo

QUANTUM = 4.0
"""Beats of a bar, at which programs of a session agree."""
SAME_BPM = 1e-3


def check_link() -> None:
    """Raise StemplayError if the package is not installed."""
    try:
        import link  # noqa: F401
    except ImportError:
        raise StemplayError("Ableton Link needs the package LinkPython-extern: pip install 'stemplay[link]' installs it.") from None


class LinkSession:
    """A part in a Link session. All methods belong to one thread; none waits for the network.

    A session that is there already keeps its tempo, which becomes ours. Raises StemplayError if the package is not installed.

    Args:
        start: share start and stop with programs that do so, too.
    """

    def __init__(self, tempo: Tempo, start: bool = False) -> None:
        check_link()
        import link

        self._tempo = tempo
        self._link = link.Link(tempo.bpm)
        self._clock = self._link.clock()
        self._link.startStopSyncEnabled = start
        self._link.enabled = True

    @property
    def peers(self) -> int:
        """Number of other programs in the session."""
        return int(self._link.numPeers())

    def lead(self) -> None:
        """Give the session our tempo."""
        state = self._link.captureAppSessionState()
        state.setTempo(self._tempo.bpm, self._clock.micros())
        self._link.commitAppSessionState(state)

    def follow(self) -> bool:
        """Take over tempo and beat of the session. Returns whether the tempo is another one."""
        state = self._link.captureAppSessionState()
        micros, now = self._clock.micros(), time.monotonic()
        changed = abs(state.tempo() - self._tempo.bpm) > SAME_BPM
        if changed:
            self._tempo.set(state.tempo(), now)
        self._tempo.place(state.beatAtTime(micros, QUANTUM), now)
        return changed

    @property
    def playing(self) -> bool:
        """Whether the session plays, for those who share start and stop."""
        return bool(self._link.captureAppSessionState().isPlaying())

    def set_playing(self, playing: bool) -> None:
        """Start or stop the session."""
        state = self._link.captureAppSessionState()
        state.setIsPlaying(playing, self._clock.micros())
        self._link.commitAppSessionState(state)

    def close(self) -> None:
        """Leave the session."""
        self._link.enabled = False
