"""Signals that end a command: Ctrl-C, SIGTERM and the end of the terminal."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import time
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130

_came: list[int] = []
_IMPORT_SYSTEM = "<frozen importlib"
_PAUSE = 0.005  # seconds until an interrupt that had to wait is tried again


class Interrupted(Exception):
    """Ctrl-C while a command was running; its text is the state it left, where that is known."""


def listen() -> None:
    """Let SIGTERM and the end of the terminal stop a command as Ctrl-C does: what was spent is recorded.

    `end` then ends the program by them; a second one ends it at once.
    """
    for name, usual in (
        ("SIGINT", signal.default_int_handler),
        ("SIGTERM", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),  # `nohup` ignores it
    ):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is usual:
            signal.signal(number, _interrupt)


def asked() -> bool:
    """Whether a signal came that ends the program: SIGTERM, or the end of the terminal."""
    return bool(_came)


def end(code: int) -> NoReturn:
    """End the program by the signal that came, or with that exit code."""
    for number in _came:
        os.kill(os.getpid(), number)
    sys.exit(code)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Break the command off, but never within the import system: it would keep its lock, and the program would hang."""
    if frame is not None and frame.f_code.co_filename.startswith(_IMPORT_SYSTEM):
        _thread.start_new_thread(_later, (number, _thread.get_ident()))
        return
    if number != signal.SIGINT:
        _came.append(number)
        signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt


def _later(number: int, main: int) -> None:
    time.sleep(_PAUSE)
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)  # breaks off a system call too
    else:
        _thread.interrupt_main(signal.Signals(number))
