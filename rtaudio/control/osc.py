"""Open Sound Control: a server that lets other programs move every control, and hear of every change.

The addresses are those of ``rtaudio.protocol.controls``, in the controls' units: ``/stem/vocals/gain_db -6.0``. ``python-osc`` reads and
makes the packets. Whoever sends something hears of changes for ``LEASE_S`` seconds, at the port from which it sent or the one that it names
in ``/subscribe``. What is no message, or cannot be carried out, is counted and answered by ``/error`` with one sentence.

``OscServer`` owns the thread ``stemplay-osc``. It waits for datagrams only; the engine is in another process.
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rtaudio.audio.format import StemplayError
from rtaudio.midi.learned_buttons import LearnedButtons
from rtaudio.protocol.checks import osc_endpoint
from rtaudio.protocol.controls import (
    NUMBER,
    SWITCH,
    InsertControl,
    fixed_targets,
    insert_controls,
    osc_address,
    row,
    value_of,
)
from rtaudio.protocol.messages import Command, command
from rtaudio.protocol.reports import RemoteReport, Snapshot
from rtaudio.protocol.settings import InsertState
from rtaudio.protocol.strips import INPUT, INSTRUMENT, MASTER

LEASE_S = 60.0
"""Seconds for which a client hears of changes after its last message."""
MOST_CLIENTS = 16
FEEDBACK_S = 1 / 30
POSITION_S = 0.1
"""Seconds between two reports of the song's place."""
MOST_BYTES = 4096
"""A longer datagram is refused. Nothing that is sent here needs so much."""
MOST_STARS = 4
"""Of a pattern, so that matching it takes no time."""

MOST_FLOAT = 3.4e38
"""Of the 32 bits of an OSC float."""

Client = tuple[Any, ...]
Value = float | bool | str
Send = Callable[[Command], None]


@dataclass
class _Lease:
    until: float
    known: dict[str, Value] = field(default_factory=dict)
    """Address -> the value that the client was told last."""


class OscControls:
    """Turns OSC messages into commands, and a snapshot into values. No I/O, no thread."""

    def __init__(self) -> None:
        self._buttons = LearnedButtons()

    def addresses(self, report: Snapshot) -> dict[str, str | InsertControl]:
        """Address -> target of each control that this engine has; or the insert's control."""
        instrument = bool(report.instrument.model)
        found: dict[str, str | InsertControl] = {
            osc_address(target): target for target in fixed_targets(report.mixer.stems, instrument, every=True)
        }
        for strip, entry in _slots(report):
            for control in insert_controls([(strip, entry.key, entry.plugin)]):
                if control.parameter is not None or (strip, entry.key) != (INSTRUMENT, INSTRUMENT):
                    found[control.address] = control
        for strip, entry in _slots(report):  # of plugins of others: what has been moved is known by name
            for id in entry.values:
                address = osc_address(f"insert.{strip}.{entry.key}.{id}", entry.key)
                found.setdefault(address, f"insert.{strip}.{entry.key}.{id}")
        return found

    def values(self, report: Snapshot) -> dict[str, Value]:
        """Address -> value of everything that has one."""
        found: dict[str, Value] = {}
        played = report.instrument.state
        for target in fixed_targets(report.mixer.stems, bool(report.instrument.model), every=True):
            value = value_of(target, report.mixer, report.transport, report.recording, played)
            if value is not None:
                found[osc_address(target)] = value
        for strip, entry in _slots(report):
            for control in insert_controls([(strip, entry.key, entry.plugin)]):
                parameter = control.parameter
                if parameter is not None:
                    found[control.address] = entry.values.get(parameter.id, parameter.default)
                elif (strip, entry.key) != (INSTRUMENT, INSTRUMENT):
                    found[control.address] = entry.bypass
            for id, value in entry.values.items():
                found[osc_address(f"insert.{strip}.{entry.key}.{id}", entry.key)] = value
        return found

    def commands(self, address: str, arguments: list[Any], report: Snapshot) -> list[Command]:
        """The commands of a message. Raises StemplayError in one sentence if there are none."""
        known = self.addresses(report)
        if address in known:
            return self._of(known[address], address, arguments, report)
        if re.search(r"[*?\[{]", address):
            found = [name for name in known if _pattern(address).fullmatch(name)]
            if found:
                return [cmd for name in found for cmd in self._of(known[name], name, arguments, report)]
        elif (control := self._foreign(address, report)) is not None:
            return [command("set_parameter", **control, value=_number(address, arguments))]
        raise StemplayError(f"There is no control {address:.80}; the command controls lists them.")

    def _foreign(self, address: str, report: Snapshot) -> dict[str, str] | None:
        """Strip, key and parameter of an address of a plugin of others, whose parameters only the engine knows."""
        for strip, entry in _slots(report):
            stem = osc_address(f"insert.{strip}.{entry.key}.x", entry.key)[:-1]
            if address.startswith(stem) and len(address) > len(stem):
                from urllib.parse import unquote

                return {"strip": strip, "key": entry.key, "parameter": unquote(address[len(stem) :])}
        return None

    def _of(self, target: str | InsertControl, address: str, arguments: list[Any], report: Snapshot) -> list[Command]:
        if isinstance(target, InsertControl):
            place = {"strip": target.strip, "key": target.key}
            if target.parameter is not None:
                return [command("set_parameter", **place, parameter=target.parameter.id, value=_number(address, arguments))]
            entry = next(entry for strip, entry in _slots(report) if (strip, entry.key) == (target.strip, target.key))
            wanted = _switch(address, arguments)
            return [command("bypass_insert", **place, bypass=not entry.bypass if wanted is None else wanted)]
        found = row(target)
        if found is None:
            control = self._foreign(address, report)
            assert control is not None
            return [command("set_parameter", **control, value=_number(address, arguments))]
        if found.kind == NUMBER:
            return [_set(target, _number(address, arguments))]
        wanted = _switch(address, arguments)
        if target == "transport.panic":
            return [command("panic")] if wanted is not False else []
        now = value_of(target, report.mixer, report.transport, report.recording, report.instrument.state)
        if wanted is not None and (wanted == now if found.kind == SWITCH else not wanted):
            return []  # it is so already; or a button that is let go
        return self._buttons.commands(target, report.mixer, report.transport, report.recording, report.instrument.state)


def _slots(report: Snapshot) -> Iterator[tuple[str, InsertState]]:
    mixer = report.mixer
    strips = [(name, stem.inserts) for name, stem in mixer.stems.items()]
    for strip, slots in [*strips, (MASTER, mixer.inserts), (INPUT, mixer.input_inserts)]:
        for entry in slots:
            yield strip, entry
    played = report.instrument
    if played.slot.plugin:  # a plugin in place of a model: it has a key of its own, and cannot be bypassed
        yield INSTRUMENT, InsertState(played.slot.plugin, INSTRUMENT, values=played.state.plugin.values)


_TRANSPORT = {
    "position": ("seek", "position_s"), "tempo": ("set_tempo", "bpm"), "speed": ("set_speed", "speed"), "key": ("set_key", "semitones"),
}  # fmt: skip


def _set(target: str, value: float) -> Command:
    kind, *rest = target.split(".")
    if kind == "stem":
        return command("set_stem", stem=rest[0], field=rest[1], value=value)
    if kind == "transport":
        operation, argument = _TRANSPORT[rest[0]]
        return command(operation, **{argument: value})
    return command("set_instrument" if kind == INSTRUMENT else "set_mixer", field=rest[0], value=value)


def _number(address: str, arguments: list[Any]) -> float:
    value = arguments[0] if len(arguments) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise StemplayError(f"{address:.80} takes one number.")
    return float(value)


def _switch(address: str, arguments: list[Any]) -> bool | None:
    """On, off, or (without an argument) the other of both."""
    if not arguments:
        return None
    value = arguments[0]
    if len(arguments) > 1 or not isinstance(value, bool | int | float) or value not in (0, 1):
        raise StemplayError(f"{address:.80} takes 1, 0 or nothing.")
    return bool(value)


def _pattern(address: str) -> re.Pattern[str]:
    """An OSC address pattern as a regular expression. Raises StemplayError if it is none, or too intricate."""
    address = re.sub(r"\*+", "*", address)
    if address.count("*") + address.count("{") > MOST_STARS or len(address) > 200:
        raise StemplayError("The OSC address pattern is too intricate.")
    text, inside = "", ""
    for sign in address:
        if sign in "[{" and not inside:
            inside, text = sign, text + ("[" if sign == "[" else "(?:")
        elif inside == "[":
            text += "]" if sign == "]" else "^" if sign == "!" and text.endswith("[") else "-" if sign == "-" else re.escape(sign)
            inside = "" if sign == "]" else inside
        elif inside == "{":
            text += ")" if sign == "}" else "|" if sign == "," else re.escape(sign)
            inside = "" if sign == "}" else inside
        else:
            text += "[^/]*" if sign == "*" else "[^/]" if sign == "?" else re.escape(sign)
    try:
        return re.compile(text)
    except re.error:
        raise StemplayError(f"{address:.80} is no OSC address pattern.") from None


def read_packet(data: bytes) -> list[tuple[str, list[Any]]]:
    """The messages of a datagram, also of bundles, whose times are not waited for. Raises StemplayError for anything else."""
    from pythonosc.osc_packet import OscPacket, ParseError

    logging.disable(logging.WARNING)  # python-osc warns of each type that it does not know
    try:
        if len(data) > MOST_BYTES:
            raise StemplayError(f"A datagram of {len(data)} bytes is too long for an OSC packet here.")
        messages = [message for _, message in OscPacket(data).messages]
        if not all(_whole(message.dgram) for message in messages):
            raise StemplayError("An OSC message was cut off.")
        found = [(str(message.address), list(message.params)) for message in messages]
    except (ParseError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError, struct.error):
        raise StemplayError("A datagram was no OSC packet.") from None
    finally:
        logging.disable(logging.NOTSET)
    if not found:
        raise StemplayError("An OSC bundle was empty.")
    if not all(address.startswith("/") and address.isprintable() for address, _ in found):
        raise StemplayError("An OSC message had no address.")
    return found


_LEAST = {"h": 8, "d": 8, "t": 8} | dict.fromkeys("ifrmsb", 4)
"""Bytes that an argument of a type takes at least."""


def _whole(message: bytes) -> bool:
    """Whether a message has the bytes that its type tags promise: python-osc reads a missing float as 0."""
    address = message.partition(b"\0")[0]
    start = (len(address) // 4 + 1) * 4
    tags = message[start:].partition(b"\0")[0]
    arguments = start + (len(tags) // 4 + 1) * 4
    return not tags or arguments + sum(_LEAST.get(chr(tag), 0) for tag in tags[1:]) <= len(message)


def make_message(address: str, *values: Value | int) -> bytes:
    """A datagram with one message: numbers are float32, whole ones integers, switches 1 or 0."""
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address)
    for value in values:
        if isinstance(value, bool):
            builder.add_arg(int(value), "i")
        elif isinstance(value, float):
            builder.add_arg(value if math.isinf(value) else min(max(value, -MOST_FLOAT), MOST_FLOAT), "f")
        else:
            builder.add_arg(value)
    return bytes(builder.build().dgram)


class OscServer:
    """See the module's docstring.

    Args:
        address: as ``osc_endpoint`` takes it.
        send, snapshot: of the engine.

    Raises:
        StemplayError: the address cannot be had.
    """

    def __init__(self, address: str, send: Send, snapshot: Callable[[], Snapshot]) -> None:
        host, port = osc_endpoint(address)
        self.address = address
        self._send, self._snapshot = send, snapshot
        self._controls = OscControls()
        self._clients: dict[Client, _Lease] = {}
        self._received = self._refused = 0
        self._message = ""
        self._placed = 0.0
        self._fed = 0.0
        self._ending = threading.Event()
        self._socket = _bind(host, port)
        self._thread = threading.Thread(target=self._run, name="stemplay-osc", daemon=True)

    def start(self) -> None:
        """Start to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._socket.close()

    def report(self) -> RemoteReport:
        """State of the server."""
        host, port = self._socket.getsockname()[:2] if self._socket.fileno() >= 0 else osc_endpoint(self.address)
        clients = [f"{client[0]}:{client[1]}" for client in tuple(self._clients)]
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return RemoteReport(shown, clients, self._received, self._refused, self._message)

    # -- the thread -------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending.is_set():
            data: bytes | None
            try:
                data, client = self._socket.recvfrom(MOST_BYTES + 1)
            except TimeoutError:
                data, client = None, ()
            except OSError:  # Windows reports here that a client is gone
                continue
            if data is not None:
                self.take(data, client)
            now = time.monotonic()
            if now - self._fed >= FEEDBACK_S:
                self._fed = now
                self._feed(now)

    def take(self, data: bytes, client: Client) -> None:
        """Carry out a datagram, whatever it is."""
        self._received += 1
        try:
            for address, arguments in read_packet(data):
                try:
                    self._carry_out(address, arguments, client)
                except StemplayError:
                    if client in self._clients:
                        self._clients[client].known.pop(address, None)  # it is told again what holds
                    raise
        except StemplayError as error:
            self._refused += 1
            self._message = str(error)
            self._tell(client, make_message("/error", str(error).encode("ascii", "replace").decode()))

    def _carry_out(self, address: str, arguments: list[Any], client: Client) -> None:
        if address == "/unsubscribe":
            self._clients.pop(_answering(client, arguments), None)
            return
        if address == "/subscribe":
            client = _answering(client, arguments)
            self._clients.pop(client, None)  # it hears of everything again
        else:
            for cmd in self._controls.commands(address, arguments, self._snapshot()):
                self._send(cmd)
        if client not in self._clients and len(self._clients) >= MOST_CLIENTS:
            raise StemplayError(f"There are {MOST_CLIENTS} OSC clients already.")
        self._clients.setdefault(client, _Lease(0.0)).until = time.monotonic() + LEASE_S

    def _feed(self, now: float) -> None:
        """Tell each client what has changed since it was told."""
        for client in [client for client, lease in self._clients.items() if lease.until < now]:
            del self._clients[client]
        if not self._clients:
            return
        values = self._controls.values(self._snapshot())
        place = osc_address("transport.position")
        if now - self._placed >= POSITION_S:
            self._placed = now
        else:
            values.pop(place, None)
        for client, lease in self._clients.items():
            for address, value in values.items():
                if lease.known.get(address) != value:
                    lease.known[address] = value
                    self._tell(client, make_message(address, value))

    def _tell(self, client: Client, data: bytes) -> None:
        with contextlib.suppress(OSError):  # a client that is gone, or a full queue
            self._socket.sendto(data, client)


def _answering(client: Client, arguments: list[Any]) -> Client:
    """Where a client wants its answers. Raises StemplayError if it names no port."""
    if not arguments:
        return client
    port = arguments[0]
    if len(arguments) > 1 or isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65_535:
        raise StemplayError("/subscribe and /unsubscribe take a port, or nothing.")
    return (client[0], port, *client[2:])


def _bind(host: str, port: int) -> socket.socket:
    """A socket at an address. Raises StemplayError if that is not possible."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)[0]
        opened = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise StemplayError(f"OSC cannot listen at {host} port {port}: {_why(error)}.") from None
    try:
        opened.bind(address)
    except OSError as error:
        opened.close()
        raise StemplayError(f"OSC cannot listen at {host} port {port}: {_why(error)}.") from None
    opened.settimeout(FEEDBACK_S)
    return opened


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(".")
