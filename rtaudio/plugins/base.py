"""The contract of an insert: what an effect or a plugin must implement to be used in a slot of a strip.

Separators and the instrument have their own contracts (``rtaudio/processors/base.py``, ``rtaudio/instrument``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from rtaudio.audio.format import Audio, StemplayError
from rtaudio.protocol.parameters import Parameter, find_parameter


class Plugin(ABC):
    """An effect with parameters that turns input sound into output sound.

    Call ``prepare`` first. ``process`` belongs to one thread (the audio callback's, or that of a host process). One other thread may
    call ``set`` at any time: it stores the value, and the next ``process`` uses it.

    Attributes:
        name: how a person reads it. ``maker``, ``category``: the same, for a list of plugins.
        parameters: the table of its parameters, in the order of an editor.
        is_instrument: whether it makes sound of MIDI (``queue_midi``) and has no sound input.
        has_editor: whether ``open_editor`` shows a window of the plugin's own.
        presets: names for ``load_preset``.
        note: one sentence about something that did not work and does not matter to the sound.
        trouble: why it gives no sound any more, one sentence; empty while it works.
    """

    name: str = ""
    maker: str = ""
    category: str = ""
    parameters: tuple[Parameter, ...] = ()
    is_instrument: bool = False
    has_editor: bool = False
    presets: tuple[str, ...] = ()
    note: str = ""
    trouble: str = ""

    @abstractmethod
    def prepare(self, rate: int, block: int, channels: int) -> None:
        """Prepare for sound of ``rate`` Hz with ``channels``, in blocks of at most ``block`` frames, starting from silence.

        Raises StemplayError if the plugin cannot work in this format.
        """

    @abstractmethod
    def process(self, audio: Audio) -> bool:
        """Replace ``audio`` ``(frames, channels)``, at most ``block`` frames, by the plugin's output.

        The output lags ``latency`` frames behind the input, whatever the sizes of the calls. Returns False if there is no output in
        time. The contents of ``audio`` are then undefined, and the next call continues as if there had been an output.
        """

    def queue_midi(self, events: list[tuple[int, bytes]]) -> None:  # noqa: B027 (effects ignore them)
        """MIDI messages for the next ``process``, in order, with their offsets in frames."""

    @abstractmethod
    def reset(self) -> None:
        """Forget the sound so far. Called between two calls of ``process``, by the same thread."""

    @property
    def latency(self) -> int:
        """Frames by which the output lags behind the input; constant after ``prepare``, unless the plugin itself reports a change."""
        return 0

    @property
    def reported_latency(self) -> int | None:
        """The plugin's own latency, if it is not the one it was loaded with, so that it must be loaded again; else None."""
        return None

    @property
    def tail_s(self) -> float:
        """Seconds that may still sound after the input has ended."""
        return 0.0

    def parameter(self, id: str) -> Parameter:
        """The parameter ``id``. Raises StemplayError if there is none."""
        return find_parameter(self.parameters, id, self.name)

    @abstractmethod
    def set(self, id: str, value: float) -> None:
        """Set the parameter ``id``, in its unit. Raises StemplayError for an unknown one or a value out of range."""

    @abstractmethod
    def get(self, id: str) -> float:
        """The value of the parameter ``id``, in its unit. Raises StemplayError for an unknown one."""

    def save_state(self) -> bytes:
        """Everything that ``restore_state`` needs to sound the same; empty if the parameters are sufficient."""
        return b""

    def restore_state(self, state: bytes) -> None:
        """Inverse of ``save_state``. Raises StemplayError if this plugin did not save the state."""
        if state:
            raise StemplayError(f"{self.name} keeps no state beside its parameters.")

    def load_preset(self, name: str) -> None:
        """Change to a preset of the plugin; after ``prepare``. Raises StemplayError if there is none of this name."""
        raise StemplayError(f"{self.name} has no preset {name!r}; it has none.")

    def take_changes(self) -> tuple[dict[str, float], bytes | None]:
        """The plugin's own changes since the last call: values of parameters, and its state (None: unchanged)."""
        return {}, None

    def open_editor(self) -> None:
        """Show the plugin's own window until it is closed, or ``close_editor`` is called. (The engine's end does not wait.)

        Raises StemplayError if it has none, or if there is no screen.
        """
        raise StemplayError(f"{self.name} has no editor of its own.")

    def close_editor(self) -> None:  # noqa: B027 (most plugins have none)
        """Close the window: ``open_editor``, which another thread has called, returns."""

    def set_tempo(self, bpm: float) -> None:  # noqa: B027 (most effects have no time of their own)
        """The tempo, in beats a minute, for effects in time with it. Called like ``set``."""

    def close(self) -> None:  # noqa: B027 (most plugins hold no resources)
        """Release the plugin's resources. No method is called afterwards."""
