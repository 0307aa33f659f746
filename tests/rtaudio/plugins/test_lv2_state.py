"""States and presets of LV2 plugins: Debian's ``mda-lv2`` and ``lv2-examples``, and an effect of our own that keeps a file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from rtaudio.audio.format import StemplayError
from rtaudio.cli.inserts import instrument_with_preset, parse_inserts
from rtaudio.cli.main import main
from rtaudio.instrument.plugin_synth import PluginSynth
from rtaudio.midi.message import MidiMessage
from rtaudio.plugins.isolated import IsolatedPlugin
from rtaudio.plugins.offline import apply_inserts
from rtaudio.plugins.rack import pack_state
from rtaudio.plugins.scan import installed, look_at
from rtaudio.protocol.settings import InsertState

LESLIE, SAMPLER, RATE = "lv2:http://drobilla.net/plugins/mda/Leslie", "lv2:http://lv2plug.in/plugins/eg-sampler", 44_100

needs_mda = pytest.mark.skipif(LESLIE not in installed(), reason="mda-lv2 and liblilv-0-0 are not installed")
needs_sampler = pytest.mark.skipif(SAMPLER not in installed(), reason="lv2-examples and liblilv-0-0 are not installed")


def folders(pid: int) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"stemplay-state-{pid}-*"))


def gain_of(plugin: IsolatedPlugin) -> float:
    block = np.ones((256, 2), np.float32)
    for _ in range(3):
        block.fill(1.0)
        plugin.process(block)
    assert np.ptp(block) == 0.0  # both channels, which are two instances
    return float(block[0, 0])


def started(state: InsertState, saved: bytes = b"") -> IsolatedPlugin:
    plugin = IsolatedPlugin(state, False, saved)
    plugin.prepare(RATE, 256, 2)
    return plugin


def test_a_state_and_its_file_go_from_one_process_to_another_and_leave_nothing(keeper: str) -> None:
    preset = parse_inserts([f"vocals={keeper}:preset=Half as loud"], ("vocals",))["vocals"][0]
    assert preset.values == {} and preset.state
    np.testing.assert_array_equal(apply_inserts(np.ones((600, 2), np.float32), RATE, [preset]), 0.5)
    one = started(InsertState(keeper))
    try:
        assert gain_of(one) == 1.0
        saved = one.save_state()
        kept = json.loads(saved)
        assert kept["files"] and str(Path(tempfile.gettempdir())) not in kept["turtle"]
        two = started(InsertState(keeper), saved.replace(b"MS4wMDAwMDAK", b"MC4yNTAwMDAK"))  # 1.000000, 0.250000
        assert two._process is not None
        try:
            assert gain_of(two) == 0.25 and folders(two._process.pid)
            one.restore_state(two.save_state())
            assert gain_of(one) == 0.25
            os.kill(two._process.pid, signal.SIGKILL)
        finally:
            two.close()
        assert folders(two._process.pid) == []
    finally:
        one.close()
    assert one._process is not None and folders(one._process.pid) == []


@pytest.mark.parametrize(
    "damage",
    [
        {"turtle": 3}, {"turtle": "", "files": []}, {"turtle": "", "files": {"a": "no base64"}}, {"turtle": "", "files": {"../a": ""}},
        {"turtle": "", "files": {"/a": ""}}, {"turtle": "", "files": {"a\\b": ""}}, {"turtle": "", "files": {"": ""}},
        {"values": {"a": []}},
    ],
)  # fmt: skip
def test_a_damaged_state_is_told_and_writes_nothing_elsewhere(keeper: str, damage: dict[str, object]) -> None:
    with pytest.raises(StemplayError, match="The saved state of Keeper is damaged"):
        started(InsertState(keeper), json.dumps({"values": {}} | damage).encode())


def test_a_text_that_is_no_state_is_noted_and_the_plugin_plays(keeper: str) -> None:
    plugin = started(InsertState(keeper), json.dumps({"values": {}, "turtle": "no state at all"}).encode())
    try:
        assert plugin.note == "Keeper did not take its saved state." and gain_of(plugin) == 1.0
    finally:
        plugin.close()


@needs_mda
def test_presets_are_listed_and_set_the_parameters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert look_at(LESLIE)[0]["presets"] == ["Default", "Fast", "Slow"]
    assert main(["plugins", "info", LESLIE]) == 0
    assert f"--insert STRIP={LESLIE}:preset=NAME, where NAME is one of Default, Fast, Slow." in capsys.readouterr().out
    places = ("vocals", "drums")
    slow = parse_inserts([f"vocals={LESLIE}:preset=Slow,output=0.25"], places)["vocals"][0]
    assert slow.values["hi_depth"] == pytest.approx(0.75) and slow.values["output"] == 0.25
    noise = (0.1 * np.random.default_rng(0).standard_normal((30_000, 2))).astype(np.float32)
    outs = [apply_inserts(noise, RATE, parse_inserts([f"drums={LESLIE}:preset={x}"], places)["drums"]) for x in ("Slow", "Slow", "Fast")]
    np.testing.assert_array_equal(outs[0], outs[1])
    assert np.abs(outs[2] - outs[0]).max() > 1e-3
    for text, sentence in (
        (f"vocals={LESLIE}:preset=Loud", "MDA Leslie has no preset 'Loud'; its presets are Default, Fast, Slow."),
        ("vocals=reverb:preset=Hall", "reverb has no presets"),
    ):
        with pytest.raises(StemplayError, match=sentence):
            parse_inserts([text], places)


def test_a_vst3_effect_takes_a_file_as_its_preset(probe: str, tmp_path: Path) -> None:
    code = (
        "import sys, numpy, pedalboard\n"
        "plugin = pedalboard.load_plugin(sys.argv[1])\n"
        "plugin.gain = 0.5\n"
        "plugin.process(numpy.zeros((2, 256), 'f'), 44100)\n"
        "open(sys.argv[2], 'wb').write(plugin.preset_data)"
    )
    subprocess.run([sys.executable, "-c", code, probe, str(tmp_path / "half.vstpreset")], check=True, timeout=60)
    found = parse_inserts([f"vocals={probe}:preset={tmp_path}/half.vstpreset,mode=Left"], ("vocals",))["vocals"][0]
    assert found.values == {"gain": 0.5, "mode": 1.0}
    (tmp_path / "bad.vstpreset").write_bytes(b"no preset")
    for name, sentence in (("none", "There is no file"), ("bad", "is no preset of Probe")):
        with pytest.raises(StemplayError, match=sentence):
            parse_inserts([f"vocals={probe}:preset={tmp_path}/{name}.vstpreset"], ("vocals",))


@needs_sampler
def test_a_sampler_has_its_default_sample_and_keeps_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset of the user's, found by liblilv: its state names a sample."""
    sf.write(tmp_path / "tone.wav", 0.5 * np.cos(2 * np.pi * 441 * np.arange(4410) / RATE), RATE, subtype="FLOAT")
    bundle = tmp_path / "lv2" / "mine.lv2"
    bundle.mkdir(parents=True)
    uri = SAMPLER.removeprefix("lv2:")
    (bundle / "manifest.ttl").write_text(
        "@prefix lv2: <http://lv2plug.in/ns/lv2core#> . @prefix pset: <http://lv2plug.in/ns/ext/presets#> .\n"
        "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix state: <http://lv2plug.in/ns/ext/state#> .\n"
        f'<urn:mine> a pset:Preset ; lv2:appliesTo <{uri}> ; rdfs:label "My tone" ;\n'
        f"  state:state [ <{uri}#sample> <{(tmp_path / 'tone.wav').as_uri()}> ] .\n"
    )
    monkeypatch.setenv("LV2_PATH", os.pathsep.join([str(bundle.parent), "/usr/lib/lv2"]))
    sounds = []
    for name in (SAMPLER, f"{SAMPLER}:preset=My tone"):
        plugin, settings = instrument_with_preset(name)
        assert plugin == SAMPLER
        synth = PluginSynth(plugin, RATE, realtime=False, state=settings)
        try:
            sounds.append(synth.render(2048, [(100, MidiMessage("note_on", 0, 69, 127))])[:, 0])
        finally:
            synth.close()
    assert np.abs(sounds[0]).max() > 0.1 and not sounds[0][:100].any()
    expected = 0.5 * np.cos(2 * np.pi * 441 * np.arange(1948) / RATE)
    np.testing.assert_allclose(sounds[1][100:] / np.abs(sounds[1]).max(), expected / 0.5, atol=0.01)
    with pytest.raises(StemplayError, match="Exampler has no preset 'Yours'; its presets are My tone"):
        instrument_with_preset(f"{SAMPLER}:preset=Yours")


@needs_mda
def test_play_takes_a_preset_of_an_instrument() -> None:
    def play(preset: str) -> subprocess.CompletedProcess[str]:
        model = f"lv2:http://drobilla.net/plugins/mda/DX10:preset={preset}"
        return subprocess.run(
            [sys.executable, "-m", "rtaudio", "play", "--model", model, "--output", "null", "--midi", "none", "--seconds", "1", "--json"],
            capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    done, wrong = play("E.Bass"), play("Nope")
    assert done.returncode == 0 and json.loads(done.stdout)["instrument"]["model"] == "MDA DX10", done.stderr
    assert wrong.returncode == 2 and "MDA DX10 has no preset 'Nope'; its presets are" in wrong.stderr


def test_a_state_of_an_earlier_version_is_the_values_alone() -> None:
    if LESLIE not in installed():
        pytest.skip("mda-lv2 and liblilv-0-0 are not installed")
    plugin = started(InsertState(LESLIE, state=pack_state(b"{}")), b'{"output": 0.25, "gone": 1.0}')
    try:
        assert plugin.get("output") == 0.25
    finally:
        plugin.close()
