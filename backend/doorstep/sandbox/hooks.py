"""Delivers the pretend world's webhooks: at least once, again until 2xx, as the faults want it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

import httpx
import msgspec

from doorstep.sandbox.faults import Faults, System
from doorstep.sandbox.store import Store

MAX_ATTEMPTS = 12
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
BATCH = 20
IDLE_SECONDS = 0.2


class Webhook(NamedTuple):
    """One event on its way to Doorstep; `after` delays it by seconds."""

    path: str
    headers: dict[str, str]
    body: bytes
    after: float = 0.0


class Hooks:
    """The queue of webhooks, kept in the store."""

    def __init__(self, store: Store, faults: Faults, target: str) -> None:
        self._store = store
        self._faults = faults
        self._target = target.rstrip("/")
        self._wake = asyncio.Event()

    def send(self, system: System, *webhooks: Webhook) -> None:
        """Queue events in their order; duplicate, late and out_of_order apply here."""
        start = time.time()
        ordered: Sequence[Webhook] = webhooks
        if fault := self._faults.fires(system, "out_of_order"):
            step = min(fault.delay_seconds, 1.0)
            ordered = [hook._replace(after=step * i) for i, hook in enumerate(reversed(webhooks))]
            if len(webhooks) == 1:
                # A single event gets out of order by letting the next one pass.
                ordered = [webhooks[0]._replace(after=webhooks[0].after + 2 * step)]
        for hook in ordered:
            late = self._faults.fires(system, "late")
            due = start + hook.after + (late.delay_seconds if late else 0.0)
            copies = 2 if self._faults.fires(system, "duplicate") else 1
            for _ in range(copies):
                self._store.run(
                    "INSERT INTO hook (system, path, headers, body, due_at, attempts) "
                    "VALUES (?, ?, ?, ?, ?, 0)",
                    (
                        system,
                        hook.path,
                        msgspec.json.encode(hook.headers).decode(),
                        hook.body,
                        due,
                    ),
                )
        self._wake.set()

    def waiting(self) -> int:
        """Count the events that Doorstep has not taken yet and that are still being tried."""
        found = self._store.row("SELECT count(*) AS n FROM hook WHERE status IS NULL")
        return int(found["n"]) if found else 0

    @contextlib.asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Deliver in the background while the block runs."""
        task = asyncio.create_task(self._deliver_forever())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _deliver_forever(self) -> None:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            while True:
                self._wake.clear()
                due = self._store.rows(
                    "SELECT * FROM hook WHERE status IS NULL AND due_at <= ? "
                    "ORDER BY due_at, id LIMIT ?",
                    (time.time(), BATCH),
                )
                await asyncio.gather(*(self._deliver(client, hook) for hook in due))
                if len(due) < BATCH:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), IDLE_SECONDS)

    async def _deliver(self, client: httpx.AsyncClient, hook: dict[str, Any]) -> None:
        headers = msgspec.json.decode(hook["headers"], type=dict[str, str])
        try:
            response = await client.post(
                self._target + hook["path"],
                content=hook["body"],
                headers={"Content-Type": "application/json", **headers},
            )
            status = response.status_code
        except httpx.HTTPError:
            status = 0
        attempts = hook["attempts"] + 1
        if 200 <= status < 300 or attempts >= MAX_ATTEMPTS:
            self._store.run(
                "UPDATE hook SET status = ?, attempts = ? WHERE id = ?",
                (status, attempts, hook["id"]),
            )
            return
        pause = min(FIRST_PAUSE * 2**attempts, LONGEST_PAUSE)
        self._store.run(
            "UPDATE hook SET due_at = ?, attempts = ? WHERE id = ?",
            (time.time() + pause, attempts, hook["id"]),
        )
