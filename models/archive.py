"""Models as single files, to be given away and installed: a ZIP file with a card, its ONNX file and a page for people. No torch here.

Nothing in such a file is trusted: it must have the hash that the user was told, may hold these three names only, and is unpacked beside
the place where it is to be, so that a model is either installed whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from models.card import CARD_FILE, MODEL_FILE, CardError, ModelCard, read_card, verify_file
from models.catalog import ZOO, user_models
from models.names import name_problem

PAGE = "README.md"
MEMBERS = (CARD_FILE, MODEL_FILE, PAGE)
LARGEST = 512 << 20
"""Bytes of an archive, and of what is in it."""
PATIENCE_S = 60.0
"""Without a byte from the network."""
PIECE = 1 << 20

Progress = Callable[[int], None]


def pack_model(directory: Path, target: Path) -> str:
    """Write the model in ``directory`` as ``target``, a ZIP file; the same model gives the same bytes. Returns its SHA-256.

    Raises:
        CardError: there is no whole model in the directory, or the file cannot be written.
    """
    verify_file(read_card(directory), directory)
    try:
        handle, temporary = tempfile.mkstemp(dir=target.absolute().parent, prefix=".stemplay-")
        try:
            with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in MEMBERS:
                    if (directory / name).is_file():
                        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                        archive.writestr(entry, (directory / name).read_bytes())
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        with target.open("rb") as written:
            return hashlib.file_digest(written, "sha256").hexdigest()
    except OSError as error:
        raise CardError(f"The archive {target} cannot be written: {error.strerror or error}.") from None


def install_model(
    source: str, name: str, sha256: str, *, replace: bool = False, check: Callable[[Path], object] = lambda _: None,
    progress: Progress = lambda _: None,
) -> ModelCard:  # fmt: skip
    """Install the archive at ``source`` as the model ``name`` among the user's models (``user_models``).

    Args:
        source: an ``https://`` address or a file.
        sha256: of the archive, from whoever offers it: 64 hexadecimal digits.
        replace: an installed model of that name may be replaced.
        check: called with the unpacked directory; what it raises ends the installation.
        progress: called with the bytes read so far.

    Raises:
        CardError: one sentence; nothing is installed.
    """
    wanted = sha256.strip().lower()
    if len(wanted) != 64 or set(wanted) - set("0123456789abcdef"):
        raise CardError(f"{sha256!r} is no SHA-256: 64 hexadecimal digits are needed.")
    if problem := name_problem(name):
        raise CardError(f"A model cannot be called {name!r}: the name {problem}.")
    if (ZOO / name).exists():
        raise CardError(f"The model {name!r} is part of this installation and cannot be replaced.")
    folder = user_models()
    place = folder / name
    if place.exists() and not replace:
        raise CardError(f"The model {name!r} is installed already; --replace installs it anew.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as work:
            archive = Path(work) / "archive"
            _fetch(source, archive, wanted, progress)
            unpacked = Path(work) / "model"
            _unpack(archive, unpacked)
            card = read_card(unpacked)
            if card.name != name:
                raise CardError(f"The archive holds the model {card.name!r}, not {name!r}.")
            verify_file(card, unpacked)
            check(unpacked)
            if place.exists():
                os.rename(place, Path(work) / "old")
            os.rename(unpacked, place)
    except OSError as error:
        raise CardError(f"The model cannot be installed in {folder}: {error.strerror or error}.") from None
    return card


def remove_model(name: str) -> Path:
    """Delete one of the user's models; returns where it was. Raises CardError if it is none of them."""
    place = user_models() / name
    if name_problem(name) or not (place / CARD_FILE).is_file():
        raise CardError(f"{name!r} is no model that was installed by `models get`; those are in {user_models()}.")
    try:
        shutil.rmtree(place)
    except OSError as error:
        raise CardError(f"The model in {place} cannot be deleted: {error.strerror or error}.") from None
    return place


def _fetch(source: str, target: Path, sha256: str, progress: Progress) -> None:
    """Copy the archive to ``target`` and check its hash."""
    digest, total = hashlib.sha256(), 0
    with _opened(source) as file, target.open("wb") as copy:
        try:
            while piece := file.read(PIECE):
                total += len(piece)
                if total > LARGEST:
                    raise CardError(f"{source} is larger than {LARGEST >> 20} MiB, which no model is.")
                digest.update(piece)
                copy.write(piece)
                progress(total)
        except (TimeoutError, ConnectionError, urllib.error.URLError) as error:
            raise CardError(f"{source} cannot be read: {error}.") from None
    if digest.hexdigest() != sha256:
        raise CardError(f"{source} does not have the hash that was given; its SHA-256 is {digest.hexdigest()}.")


def _opened(source: str) -> BinaryIO:
    scheme = urlsplit(source).scheme if "://" in source else ""
    try:
        if not scheme:
            return open(source, "rb")
        if scheme != "https":
            raise CardError(f"{source} is no https:// address and no file.")
        request = urllib.request.Request(source, headers={"User-Agent": "stemplay"})
        opened: BinaryIO = urllib.request.build_opener(_HttpsOnly).open(request, timeout=PATIENCE_S)
        return opened
    except urllib.error.HTTPError as error:
        with error:
            raise CardError(f"{source} cannot be read: {error.code} {error.reason}.") from None
    except urllib.error.URLError as error:
        raise CardError(f"{source} cannot be read: {error.reason}.") from None
    except (OSError, ValueError) as error:
        raise CardError(f"{source} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Nobody is led on to another kind of address, to a file for one."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError(f"it leads to {newurl}, which is no https:// address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _unpack(archive: Path, target: Path) -> None:
    target.mkdir()
    try:
        with zipfile.ZipFile(archive) as file:
            entries = file.infolist()
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names) or not {CARD_FILE, MODEL_FILE} <= set(names) <= set(MEMBERS):
                raise CardError(f"The archive is no model: it must hold {', '.join(MEMBERS)} and nothing else.")
            if sum(entry.file_size for entry in entries) > LARGEST:
                raise CardError(f"The archive unpacks to more than {LARGEST >> 20} MiB, which no model is.")
            for entry in entries:
                with file.open(entry) as member, (target / entry.filename).open("wb") as copy:
                    shutil.copyfileobj(member, copy, PIECE)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise CardError(f"The archive cannot be unpacked: {str(error).rstrip('.')}.") from None
