"""Counters are sums over the engines that followed each other, and the gaps between them are listed."""

from __future__ import annotations

from rtaudio.cli.status import status_dict, summary
from rtaudio.control.restart_totals import RestartTotals
from rtaudio.protocol.messages import from_dict, to_dict
from rtaudio.protocol.reports import InstrumentReport, Interruption, Recording, Snapshot


def report(seconds: float, misses: int = 0, rate: int = 48_000, **more: object) -> Snapshot:
    made = Snapshot(state="running", rate=rate, frames=round(seconds * rate), misses=misses, xruns=2 * misses)
    made.instrument = InstrumentReport(received=10 * misses, notes=misses)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_sums_go_on_over_a_restart() -> None:
    totals = RestartTotals()
    assert totals.follow(report(2, 3), now=102.0).misses == 3
    totals.engine_lost("It died.")
    told = totals.follow(report(0), now=103.0)
    assert (told.frames, told.misses) == (96_000, 3)
    assert told.interruptions == [Interruption("It died.", 2.0, 1.0)], "it lasts"
    told = totals.follow(report(0.5, 1), now=104.0)
    assert (told.frames, told.misses, told.xruns) == (120_000, 4, 8)
    assert (told.instrument.received, told.instrument.notes) == (40, 1), "notes that sound are no sum"
    assert told.interruptions == [Interruption("It died.", 2.0, 1.5)], "it had played half a second before it was seen"
    totals.engine_lost("It died again.")
    told = totals.follow(report(0.25), now=110.25)
    assert [gap.gap_s for gap in told.interruptions] == [1.5, 6.0]
    assert told.interruptions[1].after_s == 2.5


def test_an_engine_that_never_played_is_part_of_the_same_gap() -> None:
    totals = RestartTotals()
    totals.follow(report(1), now=1.0)
    totals.engine_lost("The server is gone.")
    totals.follow(report(0), now=3.0)
    totals.engine_lost("It is still not there.")
    told = totals.follow(report(1), now=9.0)
    assert told.interruptions == [Interruption("The server is gone.", 1.0, 7.0)]


def test_another_rate_counts_in_seconds() -> None:
    totals = RestartTotals()
    totals.follow(report(2), now=2.0)
    totals.engine_lost("It died.")
    assert totals.follow(report(1, rate=44_100), now=3.0).frames == 3 * 44_100


def test_new_settings_start_counters_again_and_keep_the_recordings() -> None:
    take = Recording(False, "here", 2.0, files=["mix.wav"])
    totals = RestartTotals()
    totals.follow(report(2, 3, recordings=[take]), now=2.0)
    totals = totals.start_over()
    told = totals.follow(report(1, 1), now=3.0)
    assert (told.frames, told.misses, told.interruptions, told.recordings) == (48_000, 1, [], [take])


def test_counters_that_were_reset_stay_so_after_a_restart() -> None:
    totals = RestartTotals()
    totals.follow(report(2, 3), now=2.0)
    totals.engine_lost("It died.")
    totals.forget_counters()
    told = totals.follow(report(1, 1), now=3.0)
    assert (told.misses, told.frames) == (1, 3 * 48_000)


def test_the_lists_travel_and_are_told() -> None:
    totals = RestartTotals()
    totals.follow(report(2, recordings=[Recording(False, "here", 2.0, files=["mix.wav"])]), now=2.0)
    totals.engine_lost("It died.")
    told = totals.follow(report(1), now=4.0)
    told.restarts = 1
    assert from_dict(Snapshot, to_dict(told)) == told
    assert status_dict(told)["interruptions"] == [{"reason": "It died.", "after_s": 2.0, "gap_s": 1.0}]
    assert "started again once, 1.0 s without sound" in summary(told)
    assert "Recorded 2.0 s into here (mix.wav)." in summary(told)


def test_nothing_is_claimed_that_is_not_there() -> None:
    told = report(2, recording=Recording(True, "here", 2.0))
    assert "Recorded" not in summary(told) and "could not be finished" in summary(told)
