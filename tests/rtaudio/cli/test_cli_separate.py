"""``python -m rtaudio separate`` and ``models``, as a person starts them: a process of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtaudio.cli.main import main
from rtaudio.system.child_process import child_environment
from tests.rtaudio.conftest import noise
from tests.rtaudio.soundfiles import cut_short

ROOT = Path(__file__).resolve().parents[3]


def rtaudio(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from rtaudio.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "my song.wav"
    soundfile.write(path, noise(30_000), 48_000, subtype="FLOAT")
    return path


def test_facts_as_json(song: Path, tiny_model: Path, tmp_path: Path) -> None:
    done = rtaudio("separate", song, "-o", tmp_path / "out", "--model", tiny_model, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    assert facts["rate"] == 48_000 and facts["latency_samples"] > 0 and facts["rtf"] > 0 and facts["frames"] == 30_000
    assert list(facts["files"]) == ["drums", "bass", "other", "vocals"]
    stems = [soundfile.read(path, dtype="float32")[0] for path in facts["files"].values()]
    assert np.abs(sum(stems) - noise(30_000)).max() <= 1e-6


def test_stems_go_beside_you_under_the_song_s_name(song: Path, tiny_model: Path, tmp_path: Path) -> None:
    done = rtaudio("separate", song, "--model", tiny_model, "--stems", "vocals, bass", "--format", "flac", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    assert sorted(p.name for p in (tmp_path / "separated" / "my song").iterdir()) == ["bass.flac", "vocals.flac"]
    assert "rounds to 24 bits" in done.stdout
    assert soundfile.info(tmp_path / "separated" / "my song" / "bass.flac").subtype == "PCM_24"


def test_damaged_sound_is_told_and_with_strict_refused_before_anything_is_written(
    tiny_model: Path, tmp_path: Path
) -> None:
    song, out = cut_short(tmp_path / "cut.wav"), tmp_path / "out"
    refused = rtaudio("separate", song, "-o", out, "--model", tiny_model, "--strict", "--json")
    assert (refused.returncode, refused.stdout) == (2, "") and not out.exists()
    told = rtaudio("separate", song, "-o", out, "--model", tiny_model, "--json")
    sentence = told.stderr.strip()
    assert told.returncode == 0 and json.loads(told.stdout)["notes"] == [sentence] and "cut short" in sentence
    assert refused.stderr.startswith(sentence) and len(refused.stderr.splitlines()) == 1
    assert len(list(out.iterdir())) == 4


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are text there")
def test_a_name_that_is_no_text_is_a_name_all_the_same(song: Path, tiny_model: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9.wav")  # Latin-1, as old disks have it
    song.rename(odd)
    for options in ([], ["--json"]):
        command = [sys.executable, "-m", "rtaudio", "separate", odd, "--model", tiny_model, *options]
        done = subprocess.run(command, cwd=tmp_path, env=child_environment(), capture_output=True, check=False)
        assert done.returncode == 0 and b"Traceback" not in done.stderr, done.stderr
        assert b"caf\xe9" in done.stdout or b"caf\\udce9" in done.stdout
    assert (tmp_path / "separated" / os.fsdecode(b"caf\xe9") / "drums.wav").is_file()
    done = subprocess.run(
        [sys.executable, "-m", "rtaudio", "separate", os.fsdecode(b"no\xe9.wav")],
        cwd=tmp_path, env=child_environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and b"There is no file" in done.stderr


def test_a_mono_song_gives_mono_stems(tiny_model: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mono.flac", noise(9000, 1), 16_000)
    assert main(["separate", str(tmp_path / "mono.flac"), "-o", str(tmp_path / "out"), "--model", str(tiny_model)]) == 0
    info = soundfile.info(tmp_path / "out" / "drums.wav")
    assert (info.channels, info.samplerate, info.frames) == (1, 16_000, 9000)


def test_being_ended_on_the_way_leaves_no_unfinished_files(tiny_model: Path, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("signals cannot be sent to one process alone on Windows")
    soundfile.write(tmp_path / "long.wav", np.zeros((44_100 * 300, 2), np.float32), 44_100)
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "rtaudio", "separate", tmp_path / "long.wav", "-o", out, "--model", tiny_model],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (out / "vocals.wav.part").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    output, complaint = process.communicate(timeout=60)
    assert (process.returncode, output, complaint) == (130, "", "")
    assert not out.exists()


BAD: dict[str, tuple[list[str], str]] = {
    "no such song": (["nowhere.wav"], "nowhere.wav"),
    "no sound file": (["{garbage}"], "sound file"),
    "unknown stem": (["{song}", "--stems", "vocals,banjo"], "no stem 'banjo'"),
    "no stem": (["{song}", "--stems", ""], "its stems are"),
    "unknown model": (["{song}", "--model", "none-such"], "There is no model 'none-such'"),
    "unknown format": (["{song}", "--format", "ogg"], "'ogg'"),
    "unknown option": (["{song}", "--loud"], "--loud"),
    "no song": ([], "SONG"),
    "no directory": (["{song}", "-o", ""], "--output"),
    "no permission to write": (["{song}", "-o", "{song}/below"], "cannot be made"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(song: Path, tiny_model: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "garbage.wav").write_bytes(bytes(np.random.default_rng(0).bytes(3000)))
    arguments, words = BAD[name]
    filled = [text.format(song=song, garbage=tmp_path / "garbage.wav") for text in arguments]
    model = [] if "--model" in filled else ["--model", tiny_model]
    done = rtaudio("separate", *filled, *model, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from([b"", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"fLaC", b"OggS", b"ID3", b"\xff\xfb\x90"]),
    body=st.binary(max_size=300),
)
def test_garbage_never_gives_a_traceback(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], head: bytes, body: bytes
) -> None:
    path = tmp_path / "garbage.wav"
    path.write_bytes(head + body)
    code = main(["separate", str(path), "-o", str(tmp_path / "out"), "--model", str(tiny_model), "--quiet"])
    text = capsys.readouterr().err  # ours; libmpg123 adds remarks of its own to the descriptor
    assert code in (0, 2)
    if code == 2:
        assert len(text.strip().splitlines()) == 1


def test_the_help_and_the_list_of_models_are_for_reading(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0 and main(["models"]) == 0
    told = capsys.readouterr().out
    assert "instruments  list" in told and max(len(line) for line in told.splitlines()) <= 120


def test_models_lists_the_zoo(capsys: pytest.CaptureFixture[str], tiny_model: Path) -> None:
    assert main(["models", str(tiny_model), "--json"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert [card["name"] for card in cards] == ["tiny"] and cards[0]["hop"] == 64
    assert main(["models", str(tiny_model)]) == 0
    assert "tiny: separator, drums, bass, other, vocals" in capsys.readouterr().out
    assert main(["models"]) == 0
    assert main(["models", "none-such"]) == 2


def test_one_stem_file_for_all_stems_and_what_it_does_not_keep(
    song: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["separate", str(song), "-o", str(out), "--model", str(tiny_model), "--format"]
    assert main([*arguments, "stem.mp4", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["files"] == {"stems": str(out / "my song.stem.mp4")} and facts["bits"] is None
    assert "AAC is lossy" in facts["notes"][0]
    assert main([*arguments, "alac.stem.mp4"]) == 0
    assert "ALAC rounds to 24 bits" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["my song.alac.stem.mp4", "my song.stem.mp4"]
    assert main([*arguments, "stem.mp4", "--stems", "drums"]) == 2
    assert "all four, and not drums" in capsys.readouterr().err


def test_a_stem_file_gives_its_own_stems_and_is_never_replaced(
    song: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["separate", str(song), "-o", str(tmp_path), "--model", str(tiny_model), "--format", "alac.stem.mp4"]) == 0
    file = tmp_path / "my song.alac.stem.mp4"
    before = file.read_bytes()
    capsys.readouterr()
    assert main(["separate", str(file), "-o", str(tmp_path / "own"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["model"] is None and facts["latency_samples"] == 0 and facts["frames"] == 30_000 and facts["rate"] == 48_000
    stems = [soundfile.read(path, dtype="float32")[0] for path in facts["files"].values()]
    assert len(stems) == 4 and np.abs(sum(stems) - noise(30_000)).max() <= 4 * 2.0**-23
    assert main(["separate", str(file), "-o", str(tmp_path), "--format", "alac.stem.mp4"]) == 2
    assert "would overwrite the song" in capsys.readouterr().err and file.read_bytes() == before
    assert main(["separate", str(file), "-o", str(tmp_path / "model"), "--model", str(tiny_model), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == str(tiny_model)


def test_effects_with_latency_keep_the_stems_of_a_stem_file_aligned(song: Path, tiny_model: Path, tmp_path: Path) -> None:
    arguments = ["separate", str(song), "--model", str(tiny_model), "--insert", "bass=pitch:semitones=12", "-o"]
    assert main([*arguments, str(tmp_path / "one"), "--format", "alac.stem.mp4"]) == 0
    assert main([*arguments, str(tmp_path / "four")]) == 0
    assert main(["separate", str(tmp_path / "one" / "my song.alac.stem.mp4"), "-o", str(tmp_path / "again")]) == 0
    for stem in ("drums", "bass"):
        one, four = (soundfile.read(tmp_path / place / f"{stem}.wav", dtype="float32")[0] for place in ("again", "four"))
        assert len(one) == len(four) == 30_000 and np.abs(one - np.clip(four, -1, 1)).max() <= 2.0**-22
