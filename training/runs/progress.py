"""Shows the progress of a run: a bar on a terminal, lines in a file."""

from __future__ import annotations

import sys
from typing import TextIO

from tqdm import tqdm


class ProgressBar:
    """A bar with seconds of audio per second and the time left. It is not drawn without a terminal or in other processes.

    Args:
        shown: whether this process may draw.
    """

    def __init__(self, shown: bool = True, file: TextIO | None = None) -> None:
        stream = sys.stderr if file is None else file
        self._bar = tqdm(
            total=1.0,
            file=stream,
            disable=None if shown else True,
            bar_format="{percentage:3.0f}%|{bar}| {elapsed} {postfix}",
            dynamic_ncols=True,
        )

    def show(self, progress: float, left: float, step: int, loss: float, audio_rate: float) -> None:
        """Redraw: ``progress`` of 1, ``left`` seconds, ``audio_rate`` seconds of audio a second."""
        if self._bar.disable:
            return
        self._bar.set_postfix_str(
            f"left {clock(left)}  step {step}  loss {loss:.4g}  {audio_rate:.1f} s of audio a second", refresh=False
        )
        self._bar.update(min(progress, 1.0) - self._bar.n)

    def write(self, line: str) -> None:
        """A line on standard output, above the bar."""
        with tqdm.external_write_mode(sys.stdout):
            print(line, flush=True)

    def close(self) -> None:
        """Stop updating the bar and leave it on the screen."""
        self._bar.close()


def clock(seconds: float) -> str:
    """``1:02:03``, or ``2:03`` below one hour."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
