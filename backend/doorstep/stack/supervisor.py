"""Keeps processes alive: starts again what dies, and ends all of them with their children."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import structlog

from doorstep.core.embedded import EmbeddedFailed, EmbeddedStack
from doorstep.core.embedded.processes import die_with_parent, tail

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
STEADY_SECONDS = 10.0
"""A process that ran this long did start well: its next death is answered at once again."""
WATCH_SECONDS = 0.5
FUTILE_STARTS = 5
"""A process that leaves so often, never ready or steady, has a fault of its own."""
END_SECONDS = 30.0


class ServiceFailed(RuntimeError):
    """A process cannot be brought up; the message holds the end of its log."""


@dataclass
class Service:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    log: Path | None = None
    """Where its output goes; None is the terminal."""
    sockets: Sequence[socket.socket] = ()
    """Listening sockets that it inherits. The supervisor holds them open, so while the process
    is started again its callers wait in the queue and are not refused."""
    health: str = ""
    """The address that answers once it serves, if it does."""
    process: Process | None = field(default=None, init=False)
    ready: bool = field(default=False, init=False)
    failure: ServiceFailed | None = field(default=None, init=False)
    asked_to_end: bool = field(default=False, init=False)

    @property
    def pid(self) -> int | None:
        """The number of the running process, for those who mean to kill it."""
        alive = self.process is not None and self.process.returncode is None
        return self.process.pid if self.process and alive else None

    async def start(self) -> Process:
        """Start the process, in a process group of its own."""
        with ExitStack() as stack:
            output: IO[bytes] | None = None
            if self.log is not None:
                self.log.parent.mkdir(parents=True, exist_ok=True)
                output = stack.enter_context(self.log.open("ab"))
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.env),
                pass_fds=[open_socket.fileno() for open_socket in self.sockets],
                start_new_session=True,
                # A crash of ours must leave nothing behind that blocks the next start. Each of
                # them may be killed at any time, so nothing gentler is needed.
                preexec_fn=die_with_parent(signal.SIGKILL),
            )
        return self.process


class Supervisor:
    """Runs services until `stop`. Use it from the main thread: children watch that thread."""

    def __init__(self) -> None:
        self.services: list[Service] = []
        self._keepers: list[asyncio.Task[None]] = []

    def add(self, service: Service) -> None:
        """Start a service and keep it running."""
        self.services.append(service)
        self._keepers.append(asyncio.create_task(self._keep(service), name=service.name))

    async def watch(self, embedded: EmbeddedStack | None) -> None:
        """Heal the servers as the services are healed, until one cannot be kept running.

        Raises: ServiceFailed or EmbeddedFailed, then; it never returns.
        """
        futile = 0
        while True:
            try:
                if embedded is not None:
                    # A crashed cluster may take seconds to recover, and nothing else waits for it.
                    await asyncio.to_thread(embedded.ensure)
                futile = 0
            except EmbeddedFailed as failed:
                # It may have been killed again while it recovered.
                futile += 1
                log.warning("stack.server_not_started", tries=futile, reason=str(failed))
                if futile >= FUTILE_STARTS:
                    raise
            for service in self.services:
                if service.failure is not None:
                    raise service.failure
            await asyncio.sleep(WATCH_SECONDS)

    async def restart(self) -> None:
        """End every process, gently; each starts again with what its service says now."""
        for service in self.services:
            service.asked_to_end = True
        await asyncio.gather(*(_end(service) for service in self.services))

    async def stop(self) -> None:
        """End every service: ask, wait, then kill what is left of each process group."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(_end(service) for service in self.services))

    async def _keep(self, service: Service) -> None:
        pause, futile = FIRST_PAUSE, 0
        while True:
            began = time.monotonic()
            process = await service.start()
            service.asked_to_end = False
            status = await process.wait()
            # Its own children, such as the one that decodes pictures, must not outlive it.
            _signal_group(process.pid, signal.SIGKILL)
            if not service.asked_to_end:
                log.warning("stack.process_ended", service=service.name, status=status)
            steady = time.monotonic() - began > STEADY_SECONDS
            if steady:
                pause = FIRST_PAUSE
            # Ended by a signal (a negative status) it was killed, which is no fault of its own.
            futile = 0 if steady or service.ready or status < 0 else futile + 1
            if futile >= FUTILE_STARTS:
                said = tail(service.log) if service.log else ""
                service.failure = ServiceFailed(f"{service.name} does not start:\n{said}")
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


async def _end(service: Service) -> None:
    process = service.process
    if process is None:
        return
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS)
        except TimeoutError:
            log.warning("stack.process_killed", service=service.name)
    _signal_group(process.pid, signal.SIGKILL)
    await process.wait()


def _signal_group(group: int, signum: signal.Signals) -> None:
    try:
        os.killpg(group, signum)
    except (ProcessLookupError, PermissionError):
        return  # The whole group is gone already (macOS says so with the second error).


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 is a free one.

    Raises: OSError when the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by accepted connections. uvicorn takes an inherited socket for a Unix one and would
    # leave it out: each answer, head and body apart, would then wait 40 ms for the caller's ACK.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.bind((host, port))
    opened.listen(2048)
    return opened


def uvicorn(application: str, opened: socket.socket, *options: str) -> list[str]:
    """Return the command that serves an application factory on an inherited socket."""
    return [
        *(sys.executable, "-m", "uvicorn", application, "--factory"),
        *("--fd", str(opened.fileno()), "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "8"),
        *options,
    ]
