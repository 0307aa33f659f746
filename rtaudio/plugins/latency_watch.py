"""Follows the latency of a VST3 effect whose parameters change it (look-ahead, oversampling), in its host process.

JUCE, on which pedalboard is built, takes over a new latency in the message loop, and pedalboard has one only while the plugin's own window
is open. A plugin that is loaded afresh with the same settings reports the right one, though. So that is what happens here, once its
parameters are at rest, in a child process of low priority. A parameter that has not changed the latency three times is not asked about
again.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable

from rtaudio.system.child_process import child_environment

REST_S = 1.5
"""Seconds without a change after which the latency is looked at."""
LIMIT_S = 30.0
ENOUGH = 3
"""Times that a parameter was found not to matter after which it is not asked about."""


class LatencyWatch:
    """For one plugin.

    Args:
        plugin: its name. ``form``: rate, block and channels that it is prepared for.
        latency: frames that it reported when it was loaded.
        values: its parameters' values then.
        ask: gives the latency of a plugin in a form with a saved state and values; None if there is no telling.
    """

    def __init__(
        self, plugin: str, form: tuple[int, int, int], latency: int, values: dict[str, float],
        ask: Callable[[str, tuple[int, int, int], bytes, dict[str, float]], int | None] | None = None,
    ) -> None:  # fmt: skip
        self._plugin, self._form, self.latency = plugin, form, latency
        self._seen, self._asked_of, self._since = dict(values), dict(values), 0.0
        self._vain: dict[str, int] = {}
        self._ask = ask or ask_aside

    def look(self, values: dict[str, float], now: float, state: bytes) -> None:
        """Look at the values of all parameters, some times a second. Takes a while if they have changed and are at rest.

        Args:
            now: seconds. ``state``: the plugin's last saved state, to which the values come.
        """
        if values != self._seen:
            self._seen, self._since = dict(values), now
        changed = [id for id, value in values.items() if value != self._asked_of.get(id) and self._vain.get(id, 0) < ENOUGH]
        if not changed or now - self._since < REST_S:
            return
        self._asked_of = dict(values)
        latency = self._ask(self._plugin, self._form, state, dict(values))
        if latency is None or latency == self.latency:
            self._vain |= {id: self._vain.get(id, 0) + 1 for id in changed}
        else:
            self.latency = latency


def ask_aside(plugin: str, form: tuple[int, int, int], state: bytes, values: dict[str, float]) -> int | None:
    """Load ``plugin`` with its settings in a process of its own. Its latency in frames, or None if that fails."""
    wanted = {"plugin": plugin, "form": form, "state": base64.b64encode(state).decode(), "values": values}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "rtaudio.plugins.probe"], input=json.dumps(wanted) + "\n", capture_output=True, text=True,
            errors="replace", timeout=LIMIT_S, env=child_environment(),
        )  # fmt: skip
        return int(json.loads(done.stdout)["latency"])
    except (subprocess.TimeoutExpired, OSError, ValueError, KeyError, TypeError):
        return None
