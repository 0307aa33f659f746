"""The doctor, the device list and what they say when something is missing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models import catalog
from rtaudio.audio.format import StemplayError
from rtaudio.cli import doctor
from rtaudio.cli.main import main
from rtaudio.ports import devices
from rtaudio.ports.base import DeviceMissingError
from rtaudio.ports.devices import Device, default_device, find_device, list_devices
from tests.jack import JackServer

ALSA, JACK = "ALSA", "JACK Audio Connection Kit"
LIST = [
    Device(0, ALSA, "HDA Intel PCH: ALC295 Analog (hw:0,0)", 2, 2, 44_100.0),
    Device(1, ALSA, "default", 32, 32, 44_100.0, True, True),
    Device(2, ALSA, "USB Microphone", 1, 0, 48_000.0),
    Device(3, JACK, "system", 2, 2, 48_000.0, True, True),
    Device(4, JACK, "peer", 2, 2, 48_000.0),
]


@pytest.mark.parametrize(
    ("text", "output", "index"),
    [("3", True, 3), ("JACK:system", True, 3), ("jack audio connection kit:SYSTEM", True, 3), ("peer", True, 4), ("JACK", True, 3),
     ("USB", False, 2), ("default", True, 1), ("ALC295", True, 0), ("ALSA", False, 1)],
)  # fmt: skip
def test_a_device_is_found_by_index_label_name_or_part(text: str, output: bool, index: int) -> None:
    assert find_device(text, LIST, output=output).index == index


def test_a_device_that_is_not_there_gets_near_names() -> None:
    with pytest.raises(DeviceMissingError, match="JACK:system"):
        find_device("sistem", LIST, output=True)
    with pytest.raises(DeviceMissingError, match="USB"):
        find_device("USB", LIST, output=True)  # a microphone plays nothing
    with pytest.raises(DeviceMissingError, match="no output device is present"):
        find_device("x", [], output=True)
    with pytest.raises(DeviceMissingError):
        find_device("99", LIST, output=True)


def test_default_is_the_sound_card_then_jack_then_nothing() -> None:
    for output, expected in ((True, 1), (False, 1)):
        found = default_device(LIST, output=output)
        assert found is not None and found.index == expected
    jack = default_device(list(reversed(LIST[3:])), output=True)
    assert jack is not None and jack.name == "system"
    assert default_device([], output=True) is None


def test_a_list_of_this_moment_sees_a_server_that_came_later(
    jack_server: JackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {device.label: device for device in list_devices()}
    assert seen["JACK:system"].outputs == 2 and seen["JACK:system"].rate == jack_server.rate
    jack_server.stop()
    assert "JACK:system" not in {device.label for device in list_devices()}


def test_the_device_commands_print_the_list(jack_server: JackServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "--json"]) == 0
    labels = [entry["name"] for entry in json.loads(capsys.readouterr().out)]
    assert "system" in labels
    assert main(["devices"]) == 0
    assert "JACK:system" in capsys.readouterr().out
    assert main(["doctor"]) == 0, "with a server, sound can play"
    assert "Sound can play." in capsys.readouterr().out


def test_a_driver_that_hangs_or_crashes_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    real = subprocess.run

    def instead(code: str) -> None:
        monkeypatch.setattr(devices.subprocess, "run", lambda _, **k: real([sys.executable, "-c", code], **k))

    instead("import time; time.sleep(60)")
    with pytest.raises(StemplayError, match="did not respond"):
        list_devices(timeout=0.3)
    instead("import os; os.abort()")
    with pytest.raises(StemplayError, match="could not be listed: the audio library ended with status"):
        list_devices()
    instead("""print('{"error": "The PortAudio library cannot be loaded; get it with: x"}')""")
    with pytest.raises(DeviceMissingError, match="PortAudio"):
        list_devices()


def test_without_portaudio_there_is_a_command_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> list[Device]:
        raise DeviceMissingError("The PortAudio library cannot be loaded; get it with: x")

    monkeypatch.setattr(doctor, "list_devices", gone)
    monkeypatch.setattr(doctor, "package_manager", lambda: "apt")
    monkeypatch.setattr(doctor.sys, "platform", "linux")
    findings = doctor.examine()
    assert not doctor.can_play(findings)
    assert findings[0].name == "PortAudio" and findings[0].mend == "sudo apt-get install libportaudio2"


@pytest.mark.parametrize("manager", [*doctor.MANAGERS, ""])
@pytest.mark.parametrize("part", sorted(doctor.PACKAGES))
def test_every_part_has_a_mending_sentence_everywhere(part: str, manager: str) -> None:
    words = doctor.install(part, manager)
    assert words and "{}" not in words


def test_a_damaged_model_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_model: Path) -> None:
    shutil.copytree(tiny_model, tmp_path / "tiny")
    with (tmp_path / "tiny" / "model.onnx").open("r+b") as file:
        file.seek(100)
        file.write(b"damage")
    monkeypatch.setattr(catalog, "ZOO", tmp_path)
    (finding,) = doctor._models()
    assert finding.state == "missing" and "hash" in finding.detail and finding.needed
    shutil.rmtree(tmp_path / "tiny")
    assert doctor._models()[0].state == "missing"


def doctor_card(folder: Path):  # type: ignore[no-untyped-def]
    from models.card import read_card

    return read_card(folder)


def test_a_check_that_fails_is_itself_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def faint() -> list[doctor.Finding]:
        raise RuntimeError("dizzy")

    monkeypatch.setattr(doctor, "CHECKS", (faint,))
    (finding,) = doctor.examine()
    assert finding.state == "advice" and "dizzy" in finding.detail


def test_the_report_as_json_is_complete(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for card, expected in ((LIST, 0), ([], 1)):
        monkeypatch.setattr(doctor, "list_devices", lambda card=card: card)
        assert main(["doctor", "--json"]) == expected
        known = json.loads(capsys.readouterr().out)
        assert known["can_play"] is (expected == 0)
        assert {"name", "state", "detail", "mend", "needed"} == set(known["findings"][0])
        names = {finding["name"] for finding in known["findings"]}
        assert {
            "PortAudio",
            "sound device",
            "ONNX Runtime",
            "python-rtmidi",
            "MP3 and M4A",
            "JACK",
            "realtime priority",
            "disk",
        } <= names
        assert all(f["mend"] or f["state"] == "ok" or f["name"] in ("CPU", "disk") for f in known["findings"])
