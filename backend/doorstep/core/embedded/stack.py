"""PostgreSQL and Redis of one data folder, shared by every command that runs on it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Self

import doorstep
from doorstep.core.embedded import processes
from doorstep.core.embedded.postgres import EmbeddedPostgres
from doorstep.core.embedded.redis import EmbeddedRedis


def data_folder() -> Path:
    """Return where this installation keeps its data: `.doorstep` beside the Makefile.

    Where Doorstep was installed without its tree, `.doorstep` in the working folder.
    """
    tree = Path(doorstep.__file__).resolve().parents[2]
    return (tree if (tree / "pyproject.toml").exists() else Path.cwd()) / ".doorstep"


class EmbeddedStack:
    """Both servers on `folder`. The last command to leave stops them, however the others ended.

    Every command holds a shared lock on the file `in-use` while it lives. The kernel drops the
    lock of a killed one, so whoever leaves and can have the lock alone is the last. When all of
    them are killed the janitor, a process that does nothing but wait for that lock, has it.

    Locks are taken in the order `in-use`, then `lock`; whoever holds `lock` only tries `in-use`.
    """

    def __init__(self, folder: Path | None = None, *, fsync: bool = True) -> None:
        self.folder = Path(folder or data_folder())
        self.postgres = EmbeddedPostgres(self.folder, fsync=fsync)
        self.redis = EmbeddedRedis(self.folder)
        self._in_use: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start both servers, or join them if another command runs them.

        Raises: EmbeddedFailed; then nothing of ours is left running.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._in_use = (self.folder / "in-use").open("a")
        fcntl.flock(self._in_use, fcntl.LOCK_SH)
        with self._transition():
            try:
                janitor = self._start_janitor()
                self._ensure()
                if janitor is not None:
                    janitor.wait()
            except BaseException:
                self._leave()
                raise

    def ensure(self) -> None:
        """Start again what has died meanwhile."""
        if self.postgres.process is None or self.redis.process is None:
            with self._transition():
                self._ensure()

    def stop(self) -> None:
        """Leave; the last one to leave stops both servers. A second call does nothing."""
        if self._in_use is not None:
            with self._transition():
                self._leave()

    def remove(self) -> None:
        """Stop both servers, whoever uses them, and delete all their data for good."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._transition():
            self.redis.stop()
            self.postgres.remove()
            self._write_state(None)
            self._release()

    def state(self) -> dict[str, Any]:
        """Return what `stack.json` says: processes, addresses and what the commands added."""
        try:
            found = json.loads((self.folder / "stack.json").read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def announce(self, **facts: Any) -> None:
        """Add facts to `stack.json` for the commands that join, such as the API's address."""
        with self._transition():
            self._write_state({**self.state(), **facts})

    def clock_offset(self) -> timedelta:
        """Tell how far time is ahead in what this cluster holds: zero unless a play let it pass."""
        try:
            return timedelta(seconds=float(self._clock_file.read_text()))
        except FileNotFoundError:
            return timedelta()

    def keep_clock_offset(self, offset: timedelta) -> None:
        """Keep with the data how far time is ahead in it, for every command that uses them."""
        self._clock_file.write_text(f"{offset.total_seconds()}\n")

    @property
    def _clock_file(self) -> Path:
        return self.postgres.data / "doorstep-clock-offset"

    def wait_for_the_last(self) -> None:
        """Stop both servers once no command lives that uses them: the janitor's whole work."""
        with (self.folder / "in-use").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self._transition():
                # What runs in a folder that was deleted and made anew has a janitor of its own.
                if os.fstat(lock.fileno()).st_nlink:
                    self._stop()

    def _ensure(self) -> None:
        # Redis first: it takes no time, while a crashed cluster may take seconds to recover.
        self.redis.start()
        self.postgres.start()
        postgres, redis = self.postgres.process, self.redis.process
        self._write_state(
            {
                **self.state(),
                "database_url": self.postgres.url(),
                "redis_url": self.redis.url(),
                "postgres_pid": postgres and postgres.pid,
                "redis_pid": redis and redis.pid,
            }
        )

    def _start_janitor(self) -> subprocess.Popen[bytes] | None:
        """Start the janitor if the servers do not run yet, else there is one.

        What is returned ends as soon as the janitor has detached itself.
        """
        if self.postgres.process is not None and self.redis.process is not None:
            return None
        return processes.spawn(
            [sys.executable, "-m", "doorstep.core.embedded", "janitor", self.folder.absolute()],
            log=self.folder / "janitor.log",
        )

    def _stop(self) -> None:
        self.redis.stop()
        self.postgres.stop()
        self._write_state(None)

    def _leave(self) -> None:
        if self._in_use is None:
            return
        try:
            # Others hold it shared, so this succeeds for the last one only.
            fcntl.flock(self._in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._stop()
        except BlockingIOError:
            return
        finally:
            self._release()

    def _release(self) -> None:
        if self._in_use is not None:
            self._in_use.close()
            self._in_use = None

    @contextmanager
    def _transition(self) -> Iterator[None]:
        """Let one command at a time start, stop or describe the servers."""
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write_state(self, state: dict[str, Any] | None) -> None:
        target = self.folder / "stack.json"
        if state is None:
            target.unlink(missing_ok=True)
            return
        half = target.with_name(f"stack.{os.getpid()}.new")
        half.write_text(json.dumps(state, indent=2) + "\n")
        half.replace(target)
