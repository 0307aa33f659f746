"""The commands of learned MIDI buttons. No I/O, no thread.

A press is a controller whose value rises through the middle, or a note-on. So buttons work whether or not they send 0 when released.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rtaudio.audio.format import StemplayError
from rtaudio.protocol.messages import Command, command
from rtaudio.protocol.reports import Recording, Transport
from rtaudio.protocol.settings import InstrumentState, MixerState, StemState


class LearnedButtons:
    """Turns presses into commands. Its only state is the start of a loop whose end is not set yet."""

    def __init__(self) -> None:
        self._mark: tuple[str, float] | None = None

    def commands(
        self, target: str, mixer: MixerState, transport: Transport, recording: Recording, place: InstrumentState
    ) -> list[Command]:
        """The commands of one press, given the present state of the engine.

        Args:
            place: its ``record_folder`` and ``record_format`` say where recordings go.

        Raises:
            StemplayError: there is no song to play, or no folder to record into.
        """
        kind, *rest = target.split(".")
        if kind == "stem":
            strip = mixer.stems.get(rest[0], StemState())
            return [command("set_stem", stem=rest[0], field=rest[1], value=not getattr(strip, rest[1]))]
        if kind == "mixer":
            return [command("set_mixer", field=rest[0], value=not getattr(mixer, rest[0]))]
        if rest[0] == "record":
            return [self._record(transport, recording, place)]
        if not transport.path:
            raise StemplayError("No song is loaded, so the controller's button cannot play.")
        if rest[0] == "play":
            return [command("pause" if transport.playing else "play")]
        if rest[0] == "start":
            return [command("seek", position_s=0.0)]
        return self._loop(transport)

    def _loop(self, transport: Transport) -> list[Command]:
        """The first press sets A, the second sets B, the third ends the loop."""
        mark, self._mark = self._mark, None
        if transport.loop is not None:
            return [command("set_loop", start_s=None, end_s=None)]
        if mark is not None and mark[0] == transport.path and transport.position_s > mark[1]:
            return [command("set_loop", start_s=mark[1], end_s=transport.position_s)]
        self._mark = (transport.path, transport.position_s)
        return []

    def _record(self, transport: Transport, recording: Recording, place: InstrumentState) -> Command:
        if recording.active:
            return command("stop_recording")
        if not place.record_folder:
            raise StemplayError("No folder for recordings is chosen, so the controller's button cannot record.")
        what = Path(transport.path).stem if transport.path else "Live"
        folder = Path(place.record_folder) / f"{what} {datetime.now():%Y-%m-%d %H.%M.%S}"
        return command("record", directory=str(folder), format=place.record_format)
