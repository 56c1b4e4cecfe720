"""The supervisor: what dies is started again, what is told to stop leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from doorstep.core.embedded import EmbeddedFailed, processes
from doorstep.stack import supervisor as supervisor_module
from doorstep.stack.supervisor import Service, ServiceFailed, Supervisor, listen, uvicorn

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    await supervisor.stop()


async def ask(port: int) -> Any:
    async with httpx.AsyncClient(timeout=20, trust_env=False) as client:
        return (await client.get(f"http://127.0.0.1:{port}/")).json()


def python(name: str, code: str, log: Path | None = None) -> Service:
    return Service(name, [sys.executable, "-c", textwrap.dedent(code)], ENVIRONMENT, log)


async def until(path: Path) -> str:
    for _ in range(1000):
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text().strip()
        await asyncio.sleep(0.01)
    raise AssertionError(f"{path} was never written")


async def test_a_killed_api_is_back_and_no_caller_is_refused(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    with listen("127.0.0.1", 0) as opened:
        port = opened.getsockname()[1]
        command = uvicorn("tests.support.echo_app:create_app", opened)
        supervisor.add(Service("api", command, ENVIRONMENT, tmp_path / "api.log", [opened]))
        first = await ask(port)
        assert first["client"] == "127.0.0.1"
        os.kill(first["pid"], signal.SIGKILL)
        second = await ask(port)
        assert second["pid"] != first["pid"]


async def test_stop_ends_the_children_of_a_service_too(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    supervisor.add(
        python(
            "parent",
            f"""
            import pathlib, subprocess, sys, time
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            pathlib.Path({str(file)!r}).write_text(f"{{child.pid}}\\n")
            time.sleep(600)
            """,
        )
    )
    child = psutil.Process(int(await until(file)))
    await supervisor.stop()
    assert processes.wait_until(lambda: processes.has_ended(child), 5)


async def test_a_service_that_never_comes_up_is_given_up_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    supervisor.add(python("broken", "raise SystemExit('no such table')", tmp_path / "log"))
    with pytest.raises(ServiceFailed, match="no such table"):
        await asyncio.wait_for(supervisor.watch(None), 30)


async def test_a_service_that_is_killed_again_and_again_is_never_given_up(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorstep.stack.supervisor.LONGEST_PAUSE", 0.01)
    service = python("worker", "import time; time.sleep(600)")
    supervisor.add(service)
    for _ in range(8):
        while service.pid is None:
            await asyncio.sleep(0.01)
        pid = service.pid
        os.kill(pid, signal.SIGKILL)
        while service.pid in {pid, None}:
            await asyncio.sleep(0.01)
    assert service.failure is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = f"""
        import asyncio, os, sys
        from doorstep.stack.supervisor import Service, Supervisor
        child = "import os, pathlib, time; file = pathlib.Path({str(file)!r});"
        child += "file.write_text(str(os.getpid()) + chr(10)); time.sleep(600)"
        async def main():
            Supervisor().add(Service("child", [sys.executable, "-c", child], os.environ))
            await asyncio.sleep(600)
        asyncio.run(main())
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=ENVIRONMENT)
    child = psutil.Process(int(await until(file)))
    parent.kill()
    parent.wait()
    assert processes.wait_until(lambda: processes.has_ended(child), 5)


def test_answers_do_not_wait_for_the_callers_acknowledgement() -> None:
    with (
        listen("127.0.0.1", 0) as opened,
        socket.create_connection(opened.getsockname()),
        opened.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class Stubborn:
    """Servers that are killed again while they recover, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.up = asyncio.Event()

    def ensure(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise EmbeddedFailed("killed while it recovered")
        self.up.set()


async def test_a_server_killed_while_it_recovers_is_started_again(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "WATCH_SECONDS", 0.01)
    servers = Stubborn(supervisor_module.FUTILE_STARTS - 1)
    watching = asyncio.create_task(supervisor.watch(servers))  # type: ignore[arg-type]
    await asyncio.wait_for(servers.up.wait(), 10)
    watching.cancel()


async def test_a_server_that_never_starts_ends_the_watch(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "WATCH_SECONDS", 0.01)
    with pytest.raises(EmbeddedFailed):
        await asyncio.wait_for(supervisor.watch(Stubborn(10**6)), 10)  # type: ignore[arg-type]
