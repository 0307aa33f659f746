"""Puts the window together and runs it."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from dataclasses import replace
from types import TracebackType
from typing import Any

from PyQt6.QtCore import QCoreApplication, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PyQt6.QtWidgets import QApplication

from gui import theme, translation
from gui.app_icon import app_icon
from gui.bridge import Bridge
from gui.session_store import SessionStore, restore
from gui.store import Store
from gui.window import MainWindow
from rtaudio.protocol.messages import to_dict
from rtaudio.protocol.reports import Snapshot
from rtaudio.protocol.settings import EngineConfig


def run(args: argparse.Namespace) -> int:
    """Open the window and stay until it is closed. Raises StemplayError for invalid options."""
    app = make_application()
    store = Store()
    bridge = Bridge(restore(store, lambda config: chosen(config, args)), store=store)
    theme.apply(app, args.theme or bridge.store.preferences.theme)
    bridge.poll()  # the strips are there before the window is
    window = MainWindow(bridge)
    window.closing.connect(SessionStore(bridge).save)
    sys.excepthook = _Complaint(window)
    _end_by_signal(window)
    window.show()
    if args.report_start:
        _report_start(bridge, window)
    elif args.input is None and store.preferences.layout.get("tour") is not True:
        QTimer.singleShot(0, window.start_tour)
    QTimer.singleShot(30, lambda: start(bridge, args))  # after the first look: a new daemon takes a second
    return app.exec()


def _report_start(bridge: Bridge, window: MainWindow) -> None:
    """Print when the window is drawn and when there is sound, then close the window."""

    def listen(snapshot: Snapshot) -> None:
        if snapshot.state == "running" and snapshot.frames > 0:
            bridge.snapshot_changed.disconnect(listen)
            print("sound", flush=True)
            QTimer.singleShot(0, window.close)

    QTimer.singleShot(0, lambda: print("shown", flush=True))  # after the first drawing, which was asked for before
    bridge.snapshot_changed.connect(listen)


def make_application() -> QApplication:
    """Qt's application. A display that cannot be opened ends the process with a sentence instead of Qt's abort."""
    qInstallMessageHandler(_hear_qt)
    app = QApplication.instance() or QApplication(["stemplay"])
    assert isinstance(app, QApplication)
    app.setApplicationName("stemplay")
    app.setApplicationDisplayName("Stemplay")
    app.setDesktopFileName("stemplay")
    app.setWindowIcon(app_icon())
    translation.install(app)
    return app


def chosen(config: EngineConfig, args: argparse.Namespace) -> EngineConfig:
    """``config`` with the options of the command line."""
    asked = {
        name: getattr(args, name)
        for name in ("model", "input", "output", "instrument")
        if getattr(args, name) is not None
    }
    if asked.get("instrument") == "none":
        asked["instrument"] = ""
    return replace(config, **asked)


def start(bridge: Bridge, args: argparse.Namespace) -> None:
    """Start or join the engine. A running engine is reconfigured with the options of the command line."""
    if bridge.start() and bridge.joined:
        wanted = chosen(bridge.config, args)
        if wanted != bridge.config:
            bridge.send("configure", config=to_dict(wanted))


class _Complaint:
    """Prints and shows an error in the window's own code. Such an error ends neither the window nor the sound."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace)
        if issubclass(kind, KeyboardInterrupt):
            self._window.close()
            return
        with contextlib.suppress(RuntimeError):
            text = QCoreApplication.translate(
                "Complaint", "Something went wrong in the window ({what}); the sound is not touched by it."
            )
            self._window.notice.tell(text.format(what=f"{kind.__name__}: {error}"), "bad")


def _hear_qt(kind: QtMsgType, context: QMessageLogContext, text: str | None) -> None:
    if kind == QtMsgType.QtFatalMsg:
        first = (text or "").strip().splitlines()[0] if text else "Qt gave up"
        print(f"No window can be opened here: {first}", file=sys.stderr, flush=True)
        os._exit(2)  # Qt would abort
    if kind != QtMsgType.QtDebugMsg:
        print(text, file=sys.stderr)


def _end_by_signal(window: MainWindow) -> None:
    """Let Ctrl-C and SIGTERM close the window like its button. (The bridge's timer gives Python time to handle signals.)"""

    def end(*_: Any) -> None:
        window.close()

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)
