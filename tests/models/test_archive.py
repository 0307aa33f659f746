"""Models as single files: what is installed is what was offered, or nothing is."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import shutil
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models import archive
from models.archive import install_model, pack_model, remove_model
from models.card import CardError
from models.catalog import ZOO, find_model, load_card, model_names

ROOT = Path(__file__).resolve().parents[2]
NAME = "mine"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """``demucs-open`` under another name."""
    folder = tmp_path / "model"
    shutil.copytree(ZOO / "demucs-open", folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"name": NAME}))
    return folder


@pytest.fixture
def packed(model: Path, tmp_path: Path) -> tuple[Path, str]:
    target = tmp_path / "mine.zip"
    return target, pack_model(model, target)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_packed_model_is_installed_found_and_removed(packed: tuple[Path, str], user_models: Path) -> None:
    file, digest = packed
    assert NAME not in model_names()
    seen: list[int] = []
    card = install_model(str(file), NAME, digest, progress=seen.append)
    assert card.name == NAME and load_card(NAME) == card and find_model(NAME) == user_models / NAME
    assert NAME in model_names() and seen[-1] == file.stat().st_size
    assert left(user_models) == [NAME] and left(user_models / NAME) == ["README.md", "card.json", "model.onnx"]
    assert remove_model(NAME) == user_models / NAME
    assert NAME not in model_names() and left(user_models) == []


def test_the_same_model_gives_the_same_file(model: Path, packed: tuple[Path, str], tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    assert pack_model(model, again) == packed[1] == sha256(again.read_bytes())
    assert again.read_bytes() == packed[0].read_bytes()


def test_another_hash_installs_nothing(packed: tuple[Path, str], user_models: Path) -> None:
    with pytest.raises(CardError, match=f"does not have the hash.*{packed[1]}"):
        install_model(str(packed[0]), NAME, "0" * 64)
    with pytest.raises(CardError, match="is no SHA-256"):
        install_model(str(packed[0]), NAME, "short")
    assert left(user_models) == []


def test_a_shipped_model_is_never_replaced_and_an_installed_one_only_when_asked(
    packed: tuple[Path, str], user_models: Path
) -> None:
    with pytest.raises(CardError, match="is part of this installation"):
        install_model(str(packed[0]), "demucs-open", packed[1], replace=True)
    install_model(str(packed[0]), NAME, packed[1])
    with pytest.raises(CardError, match="installed already"):
        install_model(str(packed[0]), NAME, packed[1])
    install_model(str(packed[0]), NAME, packed[1], replace=True)
    assert left(user_models) == [NAME]
    with pytest.raises(CardError, match="is no model that was installed"):
        remove_model("demucs-open")


def zipped(**members: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return data.getvalue()


@pytest.fixture(scope="module")
def damaged() -> dict[str, tuple[bytes, str]]:
    """What may be offered as a model, and what is said of it."""
    known = json.loads((ZOO / "demucs-open" / "card.json").read_text())
    card, onnx = json.dumps(known | {"name": NAME}).encode(), (ZOO / "demucs-open" / "model.onnx").read_bytes()
    whole = {"card.json": card, "model.onnx": onnx}
    good = zipped(**whole)
    return {
        "no archive": (b"not a zip", "cannot be unpacked"),
        "nothing": (b"", "cannot be unpacked"),
        "cut off": (good[: len(good) // 2], "cannot be unpacked"),
        "a path that leads out": (zipped(**whole, **{"../evil": b"x"}), "nothing else"),
        "another file": (zipped(**whole, **{"setup.py": b"x"}), "nothing else"),
        "no model": (zipped(**{"card.json": card}), "nothing else"),
        "a changed model": (zipped(**{"card.json": card, "model.onnx": onnx[:-1] + b"?"}), "does not have the hash in its card"),
        "no card": (zipped(**{"card.json": b"{", "model.onnx": onnx}), "cannot be read"),
        "another name": (zipped(**whole | {"card.json": card.replace(b'"mine"', b'"yours"')}), "holds the model 'yours'"),
    }  # fmt: skip


@pytest.mark.parametrize("what", ["no archive", "nothing", "cut off", "a path that leads out", "another file", "no model",
                                  "a changed model", "no card", "another name"])  # fmt: skip
def test_what_is_no_whole_model_installs_nothing(
    what: str, damaged: dict[str, tuple[bytes, str]], tmp_path: Path, user_models: Path
) -> None:
    data, sentence = damaged[what]
    file = tmp_path / "offered.zip"
    file.write_bytes(data)
    with pytest.raises(CardError, match=sentence):
        install_model(str(file), NAME, sha256(data))
    assert left(user_models) == [] and not (tmp_path / "evil").exists()


def test_an_archive_that_unpacks_without_end_is_refused_by_what_it_says_of_itself(
    model: Path, tmp_path: Path, user_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGEST", 1 << 20)
    data = zipped(**{"card.json": (model / "card.json").read_bytes(), "model.onnx": bytes(2 << 20)})
    assert len(data) < 1 << 20
    file = tmp_path / "bomb.zip"
    file.write_bytes(data)
    with pytest.raises(CardError, match="unpacks to more than 1 MiB"):
        install_model(str(file), NAME, sha256(data))
    file.write_bytes(bytes(2 << 20))
    with pytest.raises(CardError, match="is larger than 1 MiB"):
        install_model(str(file), NAME, sha256(file.read_bytes()))
    assert left(user_models) == []


def test_what_the_check_refuses_is_not_installed(packed: tuple[Path, str], user_models: Path) -> None:
    def refuse(folder: Path) -> None:
        assert (folder / "model.onnx").is_file()
        raise CardError("It does not run here.")

    with pytest.raises(CardError, match="does not run here"):
        install_model(str(packed[0]), NAME, packed[1], check=refuse)
    assert left(user_models) == []


class Redirecting(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        places = {"/elsewhere": "file:///etc/hostname", "/plain": "http://localhost/mine.zip"}
        if self.path in places:
            self.send_response(302)
            self.send_header("Location", places[self.path])
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real https server on this machine, whose certificate this process trusts; serves ``tmp_path``."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Redirecting, directory=str(tmp_path)))
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield f"https://localhost:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def test_a_model_comes_over_https_and_from_nowhere_else(
    packed: tuple[Path, str], server: str, user_models: Path
) -> None:
    for address, sentence in (
        (f"{server}/nothing.zip", "cannot be read: 404"),
        (f"{server}/elsewhere", "file:///etc/hostname"),
        (f"{server}/plain", "leads to http://localhost"),
        (server.replace("https", "http") + "/mine.zip", "no https:// address"),
        ("file:///etc/hostname", "no https:// address"),
        ("https://localhost:1/mine.zip", "cannot be read"),
        ("nothing.zip", "cannot be read"),
    ):
        with pytest.raises(CardError, match=sentence):
            install_model(address, NAME, packed[1])
        assert left(user_models) == []
    assert install_model(f"{server}/mine.zip", NAME, packed[1]).name == NAME


def test_the_command_packs_installs_plays_and_removes(model: Path, tmp_path: Path, user_models: Path) -> None:
    def stemplay(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rtaudio", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    file = tmp_path / "mine.zip"
    told = stemplay("models", "pack", str(model), "-o", str(file))
    digest = sha256(file.read_bytes())
    assert told.returncode == 0 and digest in told.stdout
    wrong = stemplay("models", "get", NAME, "--from", str(file), "--sha256", "1" * 64)
    assert wrong.returncode == 2 and "does not have the hash" in wrong.stderr and not wrong.stderr.count("\n") > 1
    incomplete = stemplay("models", "get", NAME, "--from", str(file))
    assert incomplete.returncode == 2 and "--sha256" in incomplete.stderr
    got = stemplay("models", "get", NAME, "--from", str(file), "--sha256", digest)
    assert got.returncode == 0 and got.stdout.startswith(f"{NAME}: separator")
    stems, song = tmp_path / "stems", tmp_path / "song.wav"
    soundfile.write(song, np.random.default_rng(0).uniform(-0.1, 0.1, (44_100, 2)), 44_100)
    assert stemplay("separate", str(song), "--model", NAME, "-o", str(stems)).returncode == 0
    assert left(stems) == ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]
    assert stemplay("models", "remove", NAME).returncode == 0 and left(user_models) == []
