"""Looking for plugins: in killable processes, remembered, and what crashed is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rtaudio.audio.format import StemplayError
from rtaudio.plugins import scan as scanning
from rtaudio.plugins.scan import cache_file, find_plugin, known_plugins, look_at, plugin_folders, scan


@pytest.fixture
def folder(tmp_path: Path, probe: str) -> Path:
    """A folder of plugins: one that works, in a folder of its own, and a file that is none."""
    made = tmp_path / "plug ins"
    (made / "Maker").mkdir(parents=True)
    (made / "Maker" / "Probe.vst3").symlink_to(probe)
    (made / "Broken.vst3").write_bytes(b"no plugin at all")
    return made


def test_a_scan_finds_what_works_and_says_why_the_rest_does_not(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    entries = {entry["name"]: entry for entry in scan(progress=lambda done, total, _: told.append((done, total)), folders=[folder])}
    assert entries["Probe"]["error"] == "" and entries["Probe"]["maker"] == "Stemplay tests" and entries["Probe"]["latency"] == 64
    assert "is no plugin that works here" in entries["Broken"]["error"]
    assert [p["id"] for p in entries["Probe"]["parameters"]][1:] == ["gain", "crash", "sleep_ms", "not_a_number", "mode"]
    assert told[-1][0] == told[-1][1] == len(told)


def test_what_is_unchanged_is_not_looked_at_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scan(folders=[folder])
    asked: list[str] = []
    monkeypatch.setattr(scanning, "look_at", lambda name: asked.append(name) or look_at(name))
    assert scan(folders=[folder]) == first and asked == []
    broken = folder / "Broken.vst3"
    os.utime(broken, (time.time() + 10, time.time() + 10))
    assert scan(folders=[folder]) == first and asked == [str(broken)]
    assert len(scan(again=True, folders=[folder])) == 2 and len(asked) == 3


def test_a_changed_lv2_bundle_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.lv2").mkdir()
        (tmp_path / f"{name}.lv2" / "manifest.ttl").write_text(
            "@prefix lv2: <http://lv2plug.in/ns/lv2core#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
            f"<urn:test:{name}> a lv2:Plugin ; lv2:binary <{name}.so> ; rdfs:seeAlso <{name}.ttl> .\n"
        )
        (tmp_path / f"{name}.lv2" / f"{name}.ttl").write_text(
            "@prefix doap: <http://usefulinc.com/ns/doap#> .\n" f'<urn:test:{name}> doap:name "{name}" .\n'
        )
    monkeypatch.setenv("LV2_PATH", str(tmp_path))
    monkeypatch.setattr(scanning, "plugin_folders", list)
    if "lv2:urn:test:a" not in scanning.installed():
        pytest.skip("liblilv-0-0 is not installed")
    asked: list[str] = []
    monkeypatch.setattr(scanning, "look_at", lambda name: asked.append(name) or look_at(name))
    first = [entry for entry in scan() if entry["plugin"].startswith("lv2:")]
    assert len(first) == 2 and all(entry["error"] for entry in first) and set(asked) >= {"lv2:urn:test:a", "lv2:urn:test:b"}
    asked.clear()
    scan()
    assert asked == []
    os.utime(tmp_path / "b.lv2" / "b.ttl", (time.time() + 10, time.time() + 10))
    scan()
    assert asked == ["lv2:urn:test:b"]


def test_a_plugin_that_hangs_while_it_loads_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = look_at(str(folder / "Maker" / "Probe.vst3"), limit_s=0.05)[0]
    assert entry["error"] == "It did not load within 0.05 s and was ended."


HALF = '{"version": 4, "plugins": {"x": {"stamp": 1, "entries": [{"parameters": 3}]}}}'


@pytest.mark.parametrize("damage", ["", "[]", "{", HALF, "\x00"])
def test_a_damaged_cache_is_as_good_as_none(folder: Path, damage: str) -> None:
    cache_file().parent.mkdir(parents=True, exist_ok=True)
    cache_file().write_text(damage)
    assert known_plugins() == []
    assert len(scan(folders=[folder])) == 2
    assert json.loads(cache_file().read_text())["version"] == scanning.VERSION


def test_a_name_means_a_plugin_where_only_one_has_it(folder: Path) -> None:
    entries = scan(folders=[folder])
    assert find_plugin("probe", entries)["plugin"].endswith("Probe.vst3")
    with pytest.raises(StemplayError, match="2 plugins are called 'Probe'"):
        find_plugin("Probe", [*entries, {**find_plugin("probe", entries), "plugin": "other"}])
    assert find_plugin(f"{find_plugin('probe', entries)['plugin']}::Probe", entries)["name"] == "Probe"
    with pytest.raises(StemplayError, match="no effect or plugin 'none'; the last `plugins scan` found none of this name"):
        find_plugin("none", entries)
    with pytest.raises(StemplayError, match=r"'prob'; .*, and did you mean Probe\?"):
        find_plugin("prob", entries)


def test_every_system_has_its_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VST3_PATH", os.pathsep.join(["one", "two"]))
    monkeypatch.setenv("COMMONPROGRAMFILES", "common")
    for system, last in (("linux", "vst3"), ("darwin", "Components"), ("win32", "VST3")):
        monkeypatch.setattr(sys, "platform", system)
        folders = plugin_folders()
        assert folders[:2] == [Path("one"), Path("two")] and last in {folder.name for folder in folders}


def test_the_commands_list_scan_and_show(folder: Path, cache: Path) -> None:
    environment = os.environ | {"VST3_PATH": str(folder), "STEMPLAY_CACHE_DIR": str(cache), "LV2_PATH": str(folder)}

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rtaudio", "plugins", *args], capture_output=True, text=True, env=environment, timeout=100, check=False
        )  # fmt: skip

    assert "No plugins are known; `plugins scan` looks for" in run().stdout
    found = run("scan")
    assert found.returncode == 0 and "Probe" in found.stdout and "Not usable (1)" in found.stdout
    assert "Probe" in run("list").stdout
    shown = run("info", "probe").stdout
    assert "Probe by Stemplay tests: VST3, Tools." in shown and "gain: Gain, 0.0 to 2.0 (default 1.0)" in shown
    assert "room: Room size, 0.00 to 1.00 (default 0.50)" in run("info", "reverb").stdout
    every = json.loads(run("list", "--json").stdout)
    assert {"eq", "reverb"} < {entry["plugin"] for entry in every}
    wrong = (["info"], "Use: plugins list"), (["info", "none"], "no effect or plugin 'none'"), (["list", "--again"], "--again belongs")
    for args, sentence in wrong:
        failed = run(*args)
        assert failed.returncode == 2 and sentence in failed.stderr and "Traceback" not in failed.stderr
