"""Start, find and end server processes, each by its own number and never by name."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

import psutil

PAUSE = 0.01
"""Seconds between two looks at a process that is starting or ending."""

_PR_SET_PDEATHSIG = 1


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that say who runs the child."""

    user: int
    group: int
    extra_groups: list[int]


class EmbeddedFailed(RuntimeError):
    """A server of the embedded stack cannot be started; the message says what to do."""


def _pick_libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


# Loaded before any fork: between fork and exec nothing may be imported or allocated at length.
_LIBC = _pick_libc()


def die_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """Return what a child runs before exec so that it gets `signum` when its starter dies.

    The kernel watches the *thread* that started the child: start from a thread that lasts.
    Where the kernel cannot do it (macOS) nothing happens and the next start finds the orphan.
    """
    parent = os.getpid()

    def in_child() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
        if os.getppid() != parent:  # It died before the kernel was told to watch it.
            os.kill(os.getpid(), signum)

    return in_child


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    user: pwd.struct_passwd | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | str = "/",
) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, so that Ctrl-C in the terminal does not reach it.

    Its output is added to `log`. `user` is whom root becomes for it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=cwd,
            env=env,
            **as_user(user),
        )


def as_user(user: pwd.struct_passwd | None) -> Identity:
    """Return the arguments of `subprocess` that give up root for `user`; none for None."""
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def unprivileged_user() -> pwd.struct_passwd | None:
    """Return whom root becomes for PostgreSQL, which refuses to run as root; None for a user.

    The account `doorstep` is made when it is missing; where accounts cannot be made, `nobody`.
    """
    if os.geteuid() != 0:
        return None
    for command in ([], ["useradd", "--system", "--no-create-home", "doorstep"]):
        try:
            if command:
                subprocess.run(command, check=True, capture_output=True)
            return pwd.getpwnam("doorstep")
        except (KeyError, OSError, subprocess.CalledProcessError):
            continue
    return pwd.getpwnam("nobody")


def find(pid: int | None, *words: str) -> psutil.Process | None:
    """Return the living process `pid` if its command line holds every word, else None.

    Numbers are reused, above all after a container restarts, so a number alone proves nothing.
    """
    if not pid:
        return None
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        line = " ".join(process.cmdline())
    except psutil.Error:
        return None
    return process if all(word in line for word in words) else None


def end(process: psutil.Process, *steps: tuple[signal.Signals, float]) -> None:
    """End one process: send each signal in turn, waiting its seconds before the next.

    Raises: EmbeddedFailed when it outlives them all.
    """
    for signum, seconds in steps:
        try:
            process.send_signal(signum)
        except psutil.NoSuchProcess:
            return
        if wait_until(lambda: has_ended(process), seconds):
            return
    raise EmbeddedFailed(f"Process {process.pid} does not end.")


def has_ended(process: psutil.Process) -> bool:
    """Return whether it is gone, or dead and only waiting for its starter to look."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether `condition` became true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log, for the message of a failed start."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
