"""What all tests share: one thread for each numerical library, the shared data folder, a JACK server, private runtime folders."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy and torch are imported

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests.jack import JackServer, private_server  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background jobs with Ctrl-C ignored, and children inherit that; tests send it to commands on purpose.
    signal.signal(signal.SIGINT, signal.default_int_handler)


# How long an example takes says something about the machine, nothing about the code.
settings.register_profile("stemplay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("stemplay")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: what is begun last keeps one process busy while the other has nothing left."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real music, voices and MIDI beside the repository; a test that needs it is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the shared data is not at {folder}")
    return folder


@pytest.fixture
def jack_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    """A private JACK server of this test; our own child processes find it by the environment."""
    with private_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def runtime_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for a detached engine's socket."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("STEMPLAY_RUNTIME_DIR", str(folder))
    return folder


@pytest.fixture(autouse=True)
def state_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for the notes of recordings: no test may finish the takes of another, or of the user."""
    folder = tmp_path_factory.mktemp("state") / "stemplay"
    monkeypatch.setenv("STEMPLAY_STATE_DIR", str(folder))
    return folder


@pytest.fixture(autouse=True)
def user_models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for installed models, empty and not there yet."""
    folder = tmp_path_factory.mktemp("data") / "models"
    monkeypatch.setenv("STEMPLAY_MODELS_DIR", str(folder))
    return folder
