"""A plugin whose parameters change its latency: followed, at rest, and not asked about for ever."""

from __future__ import annotations

import time

import numpy as np

from rtaudio.plugins.isolated import IsolatedPlugin
from rtaudio.plugins.latency_watch import ENOUGH, REST_S, LatencyWatch, ask_aside
from rtaudio.protocol.settings import InsertState

FORM = (44_100, 256, 2)


def test_a_vst3_effect_that_changes_its_latency_while_it_plays_says_so(late: str) -> None:
    plugin = IsolatedPlugin(InsertState(late, values={"frames": 500.0}), realtime=True)
    try:
        plugin.prepare(*FORM)
        own = plugin.latency - 500
        plugin.set("frames", 1000.0)
        until = time.monotonic() + 120.0
        while plugin.reported_latency is None:
            assert time.monotonic() < until and not plugin.trouble, plugin.trouble
            plugin.process(np.zeros((256, 2), np.float32))
            time.sleep(0.005)
        assert (plugin.latency, plugin.reported_latency) == (500 + own, 1000)
    finally:
        plugin.close()


def test_what_cannot_be_loaded_says_nothing() -> None:
    assert ask_aside("/nowhere/None.vst3", FORM, b"", {}) is None


class Asked:
    """Answers for a plugin whose latency is its parameter ``look``."""

    def __init__(self) -> None:
        self.values, self.now, self.count = {"look": 10.0, "gain": 0.0}, 0.0, 0
        self.watch = LatencyWatch("x", FORM, 10, self.values, self.ask)

    def ask(self, *_: object) -> int:
        self.count += 1
        return int(self.values["look"])

    def rest(self, seconds: float = REST_S + 0.5) -> None:
        for _ in range(round(seconds / 0.25)):
            self.now += 0.25
            self.watch.look(dict(self.values), self.now, b"")


def test_it_is_asked_once_the_parameters_are_at_rest() -> None:
    asked = Asked()
    asked.rest()
    assert asked.count == 0
    for step in range(8):  # a turn of a knob
        asked.values["look"] = 20.0 + step
        asked.rest(0.5)
    assert asked.count == 0 and asked.watch.latency == 10
    asked.rest()
    assert asked.count == 1 and asked.watch.latency == 27
    asked.rest()
    assert asked.count == 1


def test_a_parameter_that_does_not_matter_is_left_alone() -> None:
    asked = Asked()
    for value in range(1, 8):
        asked.values["gain"] = float(value)
        asked.rest()
    assert asked.count == ENOUGH
    asked.values["look"] = 40.0
    asked.rest()
    assert asked.count == ENOUGH + 1 and asked.watch.latency == 40
