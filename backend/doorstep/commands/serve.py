"""`serve` and `worker`: one part of Doorstep each, in the foreground."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from doorstep import settings
from doorstep.commands.running import run
from doorstep.core.embedded import EmbeddedStack
from doorstep.migrations.run import migrate
from doorstep.stack import servers
from doorstep.stack.supervisor import Service, Supervisor, listen, uvicorn


def serve(*, host: str, port: int, processes: int) -> int:
    """Serve the API on `host`:`port` with so many processes until told to stop."""
    with servers() as embedded:
        return run(_serve(embedded, host, port, processes))


def worker(queues: Sequence[str] | None) -> int:
    """Run the jobs of these queues, or of all, until told to stop."""
    from doorstep import worker as jobs

    with servers() as embedded:
        if embedded is not None:
            asyncio.run(migrate(settings.settings().database_url))
        try:
            return jobs.main(queues)
        except jobs.UnknownQueue as unknown:
            print(f"doorstep: there is no queue {unknown}", file=sys.stderr)
            return 1


async def _serve(embedded: EmbeddedStack | None, host: str, port: int, processes: int) -> int:
    if embedded is not None:
        await migrate(settings.settings().database_url)
    with ExitStack() as stack:
        opened = stack.enter_context(listen(host, port))
        base_url = f"http://{host}:{opened.getsockname()[1]}"
        env: Mapping[str, str] = os.environ
        if embedded is not None:  # Nobody set it up for production: plain HTTP on this machine.
            env = {"PUBLIC_URL": base_url, "COOKIE_SECURE": "false", **os.environ}
        # Only these may say in a header whose request they hand on; without any, nobody may.
        proxies = settings.settings().trusted_proxies
        trust = ["--forwarded-allow-ips", proxies] if proxies else ["--no-proxy-headers"]
        command = uvicorn("doorstep.app:create_app", opened, *trust)
        supervisor = Supervisor()
        try:
            # All of them accept from the one socket; the kernel gives each its share.
            for number in range(1, processes + 1):
                supervisor.add(Service(f"api-{number}", command, env, sockets=[opened]))
            print(f"API  {base_url}", flush=True)
            await supervisor.watch(embedded)
        finally:
            await supervisor.stop()
    return 0
