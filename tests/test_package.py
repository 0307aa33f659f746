"""The wheel as a stranger installs it: built from this checkout, into an empty environment, on a path with a space."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import soundfile
from packaging.requirements import Requirement

from models.archive import pack_model
from models.catalog import ZOO
from tests.screen import private_screen
from tools.deb import build

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "demo" / "kimseye.ogg"
pytestmark = [pytest.mark.long, pytest.mark.skipif(not (ROOT / "Makefile").exists(), reason="not a checkout")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a place") / "with spaces"


@pytest.fixture(scope="module")
def song(place: Path) -> Path:
    """Some seconds of the demo song, as Ogg Vorbis again."""
    place.mkdir(exist_ok=True)
    audio, rate = soundfile.read(DEMO, frames=2 * 44_100)
    soundfile.write(place / "a song.ogg", audio, rate)
    return place / "a song.ogg"


@pytest.fixture(scope="module")
def wheel(place: Path) -> Path:
    """Built from what git knows, so that nothing of this working tree slips in."""
    source = place / "source"
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if names.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, names.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    return pip_wheel(source, place / "dist")


def pip_wheel(source: Path, folder: Path) -> Path:
    """Built without isolation, which would fetch setuptools for each wheel: the slow test below builds in isolation."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel", "--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, "-w", str(folder), str(source)], check=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def stemplay(place: Path, wheel: Path) -> Path:
    """The installed command."""
    environment = place / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=60)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python"), "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--no-compile", "--no-deps", str(wheel)], check=True, timeout=300)
    (packages,) = environment.rglob("site-packages")
    link_dependencies(packages)
    return scripts / "stemplay"


def link_dependencies(packages: Path) -> None:
    """What stemplay declares with its window, and what that declares, and nothing else: links to the packages that these tests use,
    instead of half a minute of pip unpacking the same ones. The slow test below lets pip do it."""
    (ours,) = metadata.distributions(name="stemplay", path=[str(packages)])
    open_ends, seen = [(ours, "gui")], set()
    while open_ends:
        distribution, extra = open_ends.pop()
        for requirement in map(Requirement, distribution.requires or []):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            found = metadata.distribution(requirement.name)
            assert requirement.specifier.contains(found.version, prereleases=True), f"{requirement}: {found.version} is installed"
            for wanted in {"", *requirement.extras}:
                if (found.name, wanted) not in seen:
                    seen.add((found.name, wanted))
                    open_ends.append((found, wanted))
            for name in {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}:
                if not (packages / name).exists():
                    (packages / name).symlink_to(Path(str(found.locate_file(name))))


def run(command: Path, place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a folder where nothing of the checkout is found by chance."""
    work = place / "work"
    work.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DISPLAY")}
    environment |= {f"STEMPLAY_{name}_DIR": str(place / name) for name in ("STATE", "MODELS", "RUNTIME", "CONFIG")}
    environment["QT_QPA_PLATFORM"] = "offscreen"
    return subprocess.run(
        [str(command), *arguments], cwd=work, env=environment, capture_output=True, text=True, timeout=180, check=False
    )


def test_the_wheel_holds_the_open_models_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        found = {Path(name).parent.name for name in file.namelist() if name.endswith("model.onnx")}
    assert found == {"demucs-open", "denoise-voice", "sing-gm"}


def test_the_demo_song_is_installed_where_the_window_finds_it(stemplay: Path, place: Path) -> None:
    ask = "from gui.player.demo import demo_song; print(demo_song())"
    found = run(stemplay.parent / "python", place, "-c", ask).stdout.strip()
    assert Path(found).read_bytes() == DEMO.read_bytes() and not Path(found).is_relative_to(ROOT)


def test_the_installed_command_separates_plays_and_looks_around(stemplay: Path, place: Path, song: Path) -> None:
    version = run(stemplay, place, "--version")
    assert version.returncode == 0 and version.stdout.startswith("stemplay 0."), version.stderr
    assert "usage: stemplay COMMAND" in run(stemplay, place, "--help").stdout
    told = run(stemplay, place, "separate", str(song), "-o", "my stems")
    assert told.returncode == 0, told.stderr
    stems = sorted((place / "work" / "my stems").iterdir())
    assert [stem.name for stem in stems] == ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]
    assert {soundfile.info(stem).frames for stem in stems} == {soundfile.info(song).frames}
    live = run(stemplay, place, "live", "--input", str(DEMO), "--output", "mix.wav", "--full-speed", "--seconds", "2")
    assert live.returncode == 0 and soundfile.info(place / "work" / "mix.wav").frames > 44_100, live.stderr
    doctor = run(stemplay, place, "doctor")
    assert "model demucs-open" in doctor.stdout and "Traceback" not in doctor.stderr
    bad = run(stemplay, place, "sparate")
    assert bad.returncode == 2 and "did you mean separate?" in bad.stderr


def test_the_installed_window_opens_and_plays(stemplay: Path, place: Path) -> None:
    if sys.platform.startswith("linux") and not shutil.which("ldconfig", path=f"{os.environ['PATH']}:/sbin:/usr/sbin"):
        pytest.skip("no telling whether Qt's libraries are there")
    shown = run(stemplay, place, "gui", "--report-start", "--output", "null", "--input", str(DEMO))
    assert shown.returncode == 0 and shown.stdout.split() == ["shown", "sound"], shown.stderr


@pytest.mark.skipif(not (ZOO / "demucs-live" / "model.onnx").exists(), reason="the model is not in this checkout")
def test_a_model_that_the_wheel_may_not_hold_is_installed_from_a_file(stemplay: Path, place: Path, song: Path) -> None:
    file = place / "demucs-live.zip"
    digest = pack_model(ZOO / "demucs-live", file)
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert run(stemplay, place, "separate", str(song), "--model", "demucs-live", "-o", "x").returncode == 2
    got = run(stemplay, place, "models", "get", "demucs-live", "--from", str(file), "--sha256", digest)
    assert got.returncode == 0, got.stderr
    told = run(stemplay, place, "separate", str(song), "--json", "-o", "better")
    assert told.returncode == 0 and '"model": "demucs-live"' in told.stdout, told.stdout + told.stderr
    assert run(stemplay, place, "models", "remove", "demucs-live").returncode == 0


def test_a_plugin_of_ones_own_is_installed_played_and_removed(stemplay: Path, place: Path) -> None:
    """The template is a package of its own, which finds its way into the engine by its entry point."""
    source = place / "my plugin"
    shutil.copytree(ROOT / "examples" / "plugin-template", source)
    python = stemplay.parent / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--quiet"]
    environment = os.environ | {"STEMPLAY_CACHE_DIR": str(place / "cache"), "LV2_PATH": str(place), "VST3_PATH": ""}

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([stemplay, *args], capture_output=True, text=True, timeout=120, cwd=place, env=environment, check=False)

    def play(name: str, *insert: str) -> tuple[int, str]:
        plain = ["--input", str(DEMO), "--output", str(place / name), "--model", "none", "--full-speed", "--seconds", "2"]
        done = run("live", *plain, *insert)
        return done.returncode, done.stderr

    subprocess.run([*pip, "install", "--no-deps", str(pip_wheel(source, place / "plugin"))], check=True, timeout=300)
    assert "Tremolo by You: Python, Modulation." in run("plugins", "info", "python:tremolo").stdout
    insert = ["--insert", "master=python:tremolo:depth=100,rate=5"]
    assert play("plain.wav")[0] == play("tremolo.wav", *insert)[0] == 0
    plain, wet = (soundfile.read(place / f"{name}.wav", dtype="float32")[0] for name in ("plain", "tremolo"))
    late = 256  # one block
    level = [abs(sound[at : at + 2000]).mean() for at in range(20_000, 60_000, 2000) for sound in (plain, wet[late:])]
    ratios = [after / before for before, after in zip(level[::2], level[1::2], strict=True) if before > 0]
    assert min(ratios) < 0.2 and max(ratios) > 0.8
    subprocess.run([*pip, "uninstall", "--yes", "stemplay-tremolo"], check=True, timeout=120)
    status, told = play("gone.wav", *insert)
    assert status == 2 and "No installed package offers a plugin 'tremolo'" in told


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb builds the package")
def test_a_debian_package_without_libraries_starts_on_a_screen(wheel: Path, stemplay: Path, place: Path) -> None:
    """All that ``tools/deb.py`` does but pip's unpacking and the compiling of half a gigabyte, which the slow test below does: Python
    finds the libraries in the environment above."""
    tree = unpacked(build(place / "build", wheel, libraries=False), place / "unpacked")
    compiled = list((tree / "opt/stemplay/lib/rtaudio/cli").rglob("main.*.pyc"))
    assert len(compiled) == 1 and int.from_bytes(compiled[0].read_bytes()[4:8], "little") == 1, "by the hash, unchecked"
    (packages,) = stemplay.parents[1].rglob("site-packages")
    show_on_a_screen(tree, place, {"PYTHONPATH": str(packages)})


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb builds the package")
def test_the_debian_package_starts_on_a_screen(place: Path) -> None:
    """As a user builds it: pip fetches what builds the wheel and everything that stemplay needs."""
    place.mkdir(exist_ok=True)
    command = [sys.executable, str(ROOT / "tools" / "deb.py"), "-o", str(place / "full")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert told.returncode == 0, told.stderr
    show_on_a_screen(unpacked(Path(told.stdout.strip()), place / "fully unpacked"), place, {})


def unpacked(package: Path, tree: Path) -> Path:
    """Unpacked, not installed: nothing of the machine is changed. A screen, the system's Python and Debian's libraries are real."""
    depends = subprocess.run(["dpkg-deb", "-f", str(package), "Depends"], capture_output=True, text=True, check=True).stdout
    assert "libportaudio2" in depends and "python3 (>= 3." in depends
    subprocess.run(["dpkg-deb", "-x", str(package), str(tree)], check=True, timeout=120)
    assert (tree / "usr/share/icons/hicolor/256x256/apps/stemplay.png").read_bytes()[:4] == b"\x89PNG"
    assert (tree / "usr/bin/stemplay").readlink() == Path("/opt/stemplay/bin/stemplay")
    return tree


def show_on_a_screen(tree: Path, place: Path, more: dict[str, str]) -> None:
    with private_screen(place) as screen:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | screen | more
        environment |= {f"STEMPLAY_{name}_DIR": str(place / f"deb {name}") for name in ("STATE", "MODELS", "RUNTIME", "CONFIG")}
        window = [sys.executable, str(tree / "opt/stemplay/bin/stemplay"), "gui", "--report-start", "--output", "null"]
        shown = subprocess.run(
            [*window, "--input", str(DEMO)], cwd=place, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert shown.returncode == 0 and shown.stdout.split() == ["shown", "sound"], shown.stderr
