"""The tools that measure the callback and cold starts: their numbers mean what they say."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from rtaudio.audio.format import StemplayError
from rtaudio.bench import callback, starts
from rtaudio.bench.callback import Times, _Probe, allocations, lines, times
from rtaudio.bench.starts import Start, row
from rtaudio.cli.main import main
from rtaudio.engine.mixer import Mixer
from tests.rtaudio.conftest import noise


@pytest.mark.parametrize("block", [64, 1024])
def test_a_block_keeps_nothing_that_it_allocates(block: int) -> None:
    found = allocations(block)
    assert abs(found.kept) < 8, "less than a pointer"
    assert 0 < found.median <= found.most


def test_what_a_block_would_keep_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []
    whole = Mixer.process

    def process(self: Mixer, *args: object) -> None:
        kept.append(bytes(1000))
        whole(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Mixer, "process", process)
    assert allocations(256).kept == pytest.approx(1040, rel=0.1)


def test_who_holds_the_interpreter_is_found() -> None:
    with _Probe() as probe:
        time.sleep(0.05)
        np.sort(np.zeros(10))
        sum(range(3_000_000))  # pure Python: it is asked to let go again and again
        "x".join(["y" * 1000] * 200_000).count("z")  # C code that does not let go
    p99, largest = probe.result()
    assert largest > 0.005 > 0 and largest >= p99


def test_an_engine_s_callbacks_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback, "BOUND_S", 0.2)
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(44_100), 44_100)
    found = times(song, 1.0, 512, "none")
    assert 5 < found.callbacks < 5 * 44_100 / 512  # a second's is 86, but a busy clock is late and then catches up
    assert 0 < found.p50 <= found.p99 <= found.p999 <= found.largest
    assert found.block_s == pytest.approx(512 / 44_100)
    told = lines(found, allocations(512), 512)
    assert "largest" in told[1] and len({len(line) for line in told[1:6]}) == 1, "a table"


def test_the_rows_of_starts_stand_below_their_heads() -> None:
    assert len(row(Start("live", 1.0, 0.9, 0.3))) == len(row(Start("python", 0.3, 0.3))) == len(starts.HEADER)
    assert row(Start("live", 1.0, 0.9, 0.3)).split()[-4:] == ["1.00", "0.90", "0.30", "3.0"]


def test_starts_are_timed_in_processes_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "TRIES", 1)
    song = tmp_path / "song.wav"
    soundfile.write(song, noise(44_100 * 5), 44_100)
    found = starts.measure_starts(song, lambda start: None, tries=1)
    by_name = {start.name: start for start in found}
    assert by_name["window: command to window"].first_s < by_name["window: command to first sound"].first_s
    separate = by_name["separate: one second of sound"]
    assert separate.bound_s == by_name["Python and the libraries"].median_s < separate.median_s
    assert main(["bench", "--fresh"]) == 2
    with pytest.raises(StemplayError, match="ended before"):
        starts._until(["-c", "print('no')"], "plays", {})


def test_times_are_kept_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = Times(10, 1e-4, 2e-4, 3e-4, 4e-4, 0.0058, 0, (1e-4, 2e-4), (1e-5, 2e-5))
    monkeypatch.setattr(callback, "times", lambda *args: fixed)
    assert main(["bench", "--callback", "--json", "demucs-live", "--blocks", "256,512"]) == 0
    told = json.loads(capsys.readouterr().out)["callback"]
    assert [row["block"] for row in told] == [256, 512] and told[0]["times"]["largest"] == 4e-4
