"""API, worker and sandbox on the servers of this machine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx

from doorstep.core import clock
from doorstep.core.embedded import EmbeddedStack, data_folder
from doorstep.stack.supervisor import (
    Service,
    ServiceFailed,
    Supervisor,
    listen,
    uvicorn,
)

READY_SECONDS = 60.0
LOOPBACK = "127.0.0.1"


@dataclass
class RunningStack:
    """The addresses of a running Doorstep, and its processes if this command started them."""

    base_url: str
    sandbox_url: str
    folder: Path
    supervisor: Supervisor | None = None
    embedded: EmbeddedStack | None = None
    _watch: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def is_ours(self) -> bool:
        """Whether this command runs the processes, or only uses those of another one."""
        return self.supervisor is not None

    @property
    def lets_time_pass(self) -> bool:
        """Whether `move_time` may be called: only where all data and processes are this stack's."""
        return self.is_ours and self.embedded is not None

    async def move_time(self, by: timedelta) -> None:
        """Let so much time pass at once, for this process, all others of the stack, and its data.

        The processes start anew. What is in the database stays ahead of the world, so every later
        command on it is, too.

        Raises: ServiceFailed.
        """
        if self.supervisor is None or self.embedded is None:
            raise RuntimeError("Time passes only in a stack of one's own.")
        ahead = self.embedded.clock_offset() + by
        self.embedded.keep_clock_offset(ahead)
        for service in self.supervisor.services:
            service.env = {**service.env, **_clock_of(self.embedded)}
        clock.set_offset(ahead)
        await self.supervisor.restart()
        await asyncio.gather(*(_ready(service) for service in self.supervisor.services))

    async def forever(self) -> None:
        """Watch over the processes until cancelled.

        Raises: ServiceFailed when one of them cannot be kept running.
        """
        if self._watch is not None:
            await self._watch


@asynccontextmanager
async def running_stack(
    embedded: EmbeddedStack | None,
    *,
    port: int = 0,
    sandbox_port: int = 0,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[RunningStack]:
    """Use the API, worker and sandbox that run on `embedded`, else run them for the block.

    The settings must already name the servers (`servers()`), and the schema must be there. The
    sandbox takes the place of the outside world: what settings leave empty points to it. The
    processes get `env`, or without it the environment of this one.

    Raises: ServiceFailed; OSError when a given port is taken.
    """
    found = await _find_running(embedded)
    if found is not None:
        yield found
        return
    with listen(LOOPBACK, port) as api_socket, listen(LOOPBACK, sandbox_port) as sandbox_socket:
        base_url = f"http://{LOOPBACK}:{api_socket.getsockname()[1]}"
        sandbox_url = f"http://{LOOPBACK}:{sandbox_socket.getsockname()[1]}"
        folder = embedded.folder if embedded else data_folder()
        given = os.environ if env is None else env
        env = {**_environment(base_url, sandbox_url, folder, given), **_clock_of(embedded)}
        supervisor = Supervisor()
        stack = RunningStack(base_url, sandbox_url, folder, supervisor, embedded)
        sandbox = Service(
            "sandbox",
            uvicorn("doorstep.sandbox.app:create_app", sandbox_socket),
            env,
            folder / "sandbox.log",
            [sandbox_socket],
            f"{sandbox_url}/_state",
        )
        api = Service(
            "api",
            uvicorn("doorstep.app:create_app", api_socket, "--no-proxy-headers"),
            env,
            folder / "api.log",
            [api_socket],
            f"{base_url}/health/live",
        )
        worker = Service(
            "worker", [sys.executable, "-m", "doorstep.cli", "worker"], env, folder / "worker.log"
        )
        try:
            for service in (sandbox, api, worker):
                supervisor.add(service)
            await asyncio.gather(_ready(api), _ready(sandbox))
            if embedded is not None:
                embedded.announce(base_url=base_url, sandbox_url=sandbox_url)
            stack._watch = asyncio.create_task(supervisor.watch(embedded))
            yield stack
        finally:
            if stack._watch is not None:
                stack._watch.cancel()
            if embedded is not None:
                embedded.announce(base_url=None, sandbox_url=None)
            await supervisor.stop()


async def _find_running(embedded: EmbeddedStack | None) -> RunningStack | None:
    """Return the services that another command announced, if they still answer."""
    state = embedded.state() if embedded else {}
    base_url, sandbox_url = state.get("base_url"), state.get("sandbox_url")
    if embedded is None or not base_url or not sandbox_url:
        return None
    answers = await asyncio.gather(
        _answers(f"{base_url}/health/live"), _answers(f"{sandbox_url}/_state")
    )
    return RunningStack(base_url, sandbox_url, embedded.folder) if all(answers) else None


def _environment(
    base_url: str, sandbox_url: str, folder: Path, given: Mapping[str, str]
) -> Mapping[str, str]:
    """Return the given environment, with what it leaves open pointing to the sandbox."""
    return {
        "PUBLIC_URL": base_url,
        "COOKIE_SECURE": "false",
        "ALLOWED_ORIGINS": sandbox_url,
        "SHOP_URL": sandbox_url,
        "SHOP_STORES": "1:AE,2:QA,3:IN,4:KW",
        "SHOP_POLL_SECONDS": "1",
        "BANK_URL": sandbox_url,
        "CHECKOUT_URL": sandbox_url,
        "MESSAGING_URL": sandbox_url,
        "SANDBOX_TARGET_URL": base_url,
        "SANDBOX_STATE": str(folder / "sandbox.sqlite"),
        **{name: text for name, text in given.items() if text},
        "PYTHONUNBUFFERED": "1",
    }


def _clock_of(embedded: EmbeddedStack | None) -> Mapping[str, str]:
    ahead = embedded.clock_offset() if embedded else timedelta()
    return {"DOORSTEP_CLOCK_OFFSET": str(ahead.total_seconds())} if ahead else {}


async def _ready(service: Service) -> None:
    """Wait until the service answers, where it does.

    Raises: ServiceFailed.
    """
    deadline = asyncio.get_running_loop().time() + READY_SECONDS
    while service.health and not await _answers(service.health):
        if service.failure is not None:
            raise service.failure
        if asyncio.get_running_loop().time() > deadline:
            raise ServiceFailed(f"{service.name} does not answer; see {service.log}.")
        await asyncio.sleep(0.05)
    service.ready = True


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        try:
            return (await client.get(url)).status_code < 500
        except httpx.HTTPError:
            return False
