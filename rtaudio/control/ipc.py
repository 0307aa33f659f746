"""Communication between processes: length-prefixed JSON objects on pipes and on a private socket of this user.

No pickle is used: sockets carry JSON only (``send_bytes`` / ``recv_bytes``), after both sides have proved that they know a key, which is
in a file that only this user can read. POSIX uses a Unix socket, Windows a named pipe. This module owns no
thread; ``read_message`` and ``Connection`` may block their caller, which is therefore never an audio thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import sys
import tempfile
from multiprocessing import AuthenticationError
from multiprocessing import connection as mpc
from pathlib import Path
from typing import Any, BinaryIO

from rtaudio.audio.format import StemplayError
from rtaudio.system.file_lock import FileLock

MAX_MESSAGE = 1 << 22
"""Largest message in bytes. A longer one is an error and ends the connection."""

_LENGTH = struct.Struct("<I")
_SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on macOS, 108 on Linux

Message = dict[str, Any]


def _plain(value: Any) -> Any:
    """Numpy scalars and arrays as plain numbers and lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent to another process")


def encode(message: Message) -> bytes:
    """A message as bytes. Raises TypeError or ValueError for what JSON cannot hold."""
    return json.dumps(message, default=_plain, separators=(",", ":")).encode()


def decode(data: bytes) -> Message:
    """Inverse of ``encode``. Raises ValueError for anything but a JSON object."""
    value = json.loads(data)
    if not isinstance(value, dict):
        raise ValueError("a message must be a JSON object")
    return value


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write one framed message and flush it; blocks while the pipe is full. Raises OSError when the reader is gone."""
    data = encode(message)
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """The next framed message, None at the end of the stream (also when it ends within a message). Raises ValueError for garbage."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    if length > MAX_MESSAGE:
        raise ValueError(f"a message of {length} bytes is too long")
    data = stream.read(length)
    return decode(data) if len(data) == length else None


# --- the private place of this user -------------------------------------------------------------------------------------------


def socket_address(directory: Path) -> str:
    """The address of the detached engine of ``directory``: a Unix socket's path, or a pipe's name on Windows."""
    digest = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]
    if sys.platform == "win32":
        return rf"\\.\pipe\stemplay-{digest}"
    path = directory / "engine.sock"
    if len(os.fsencode(path)) > _SOCKET_PATH_LIMIT:
        path = Path(tempfile.gettempdir()) / f"stemplay-{os.getuid()}-{digest}.sock"
    return str(path)


def _key_file(directory: Path) -> Path:
    return directory / "engine.key"


def make_key(directory: Path) -> bytes:
    """A new secret in a file that only this user can read, replacing an older one."""
    key = os.urandom(32)
    handle, temporary = tempfile.mkstemp(dir=directory)  # mkstemp makes it 0600
    with os.fdopen(handle, "wb") as file:
        file.write(key)
    os.replace(temporary, _key_file(directory))
    return key


def read_key(directory: Path) -> bytes | None:
    """The running daemon's secret, or None if there is no daemon."""
    try:
        return _key_file(directory).read_bytes()
    except OSError:
        return None


def daemon_lock(directory: Path) -> FileLock:
    """The lock that allows one daemon for each directory."""
    return FileLock(directory / "engine.lock")


# --- the socket ---------------------------------------------------------------------------------------------------------------


class Connection:
    """One end of an authenticated connection. ``send`` and ``receive`` may be called by two different threads."""

    def __init__(self, raw: mpc.Connection) -> None:  # type: ignore[type-arg,unused-ignore]
        self._raw = raw

    def send(self, message: Message) -> None:
        """Send a message. Blocks while the other side does not read. Raises OSError if it is gone."""
        try:
            self._raw.send_bytes(encode(message))
        except ValueError as error:  # closed meanwhile
            raise OSError(str(error)) from None

    def receive(self, timeout: float) -> Message | None:
        """The next message, or None after ``timeout`` seconds. EOFError, OSError: the other side is gone or sends invalid data."""
        if not self._raw.poll(timeout):
            return None
        try:
            return decode(self._raw.recv_bytes(MAX_MESSAGE))
        except ValueError as error:
            raise OSError(f"invalid data on the socket: {error}") from None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._raw.close()


class SocketServer:
    """Listens on the private socket. ``accept`` only waits for a connection; ``welcome`` checks the key, which a slow client can delay."""

    def __init__(self, directory: Path) -> None:
        address = socket_address(directory)
        if sys.platform != "win32":
            with contextlib.suppress(FileNotFoundError):
                os.unlink(address)  # left by a killed daemon: the lock shows that none is alive
        self._key = make_key(directory)
        self._listener = mpc.Listener(address)
        if sys.platform != "win32":
            os.chmod(address, 0o600)
        self._directory = directory

    def accept(self) -> mpc.Connection:  # type: ignore[type-arg,unused-ignore]
        """Blocks until someone connects. Raises OSError once closed."""
        return self._listener.accept()  # type: ignore[no-any-return,unused-ignore]

    def welcome(self, raw: mpc.Connection) -> Connection | None:  # type: ignore[type-arg,unused-ignore]
        """Check that both sides know the key; None if the client does not. It blocks, so call it in the client's own thread."""
        try:
            mpc.deliver_challenge(raw, self._key)
            mpc.answer_challenge(raw, self._key)
        except (AuthenticationError, AssertionError, EOFError, OSError):
            raw.close()
            return None
        return Connection(raw)

    def close(self) -> None:
        """Stop listening and remove socket and key."""
        with contextlib.suppress(OSError):
            self._listener.close()
        with contextlib.suppress(OSError):
            _key_file(self._directory).unlink()


def connect(directory: Path) -> Connection | None:
    """Connect to the daemon of ``directory``; None if there is none. Raises StemplayError if it does not accept our key."""
    key = read_key(directory)
    if key is None:
        return None
    try:
        return Connection(mpc.Client(socket_address(directory), authkey=key))
    except (FileNotFoundError, ConnectionError, EOFError, AssertionError):
        return None
    except AuthenticationError:
        raise StemplayError("The running engine does not accept this user's key; stop it and try again.") from None
    except OSError:
        return None
