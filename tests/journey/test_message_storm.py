"""A storm: the providers time out, are busy, fall over, and report twice, late and out of order.

Real adapters over HTTP, real webhooks, jobs on several hands at once; time moves on when nothing is left
to do. Every reader gets each message, and no channel brings it twice.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from msgspec.structs import replace

from doorstep import doctor, worker
from doorstep.adapters import client
from doorstep.adapters.messengers import Messengers
from doorstep.adapters.sandbox_messenger import SandboxMessenger
from doorstep.adapters.twilio import Twilio, TwilioHook
from doorstep.adapters.whatsapp import WhatsApp, WhatsAppHook
from doorstep.app import create_app
from doorstep.core import clock as core_clock
from doorstep.core import db as core_db
from doorstep.core.jobs.executor import execute
from doorstep.core.outbox import lease
from doorstep.modules.messages.service import Recipient
from doorstep.sandbox.app import create_app as create_sandbox
from doorstep.settings import Settings
from tests.contract.conftest import allow  # noqa: F401 - a fixture
from tests.contract.served import served
from tests.factories.care import Travelling, outside, reacting
from tests.factories.messages import quiet_order, with_whatsapp, write

HANDS = 8
PUBLIC = "https://doorstep.example"
FAULTS = (
    {"kind": "timeout_after_success", "rate": 0.05, "delay_seconds": 0.8},
    {"kind": "timeout_without_effect", "rate": 0.05, "delay_seconds": 0.8},
    {"kind": "status_429", "rate": 0.1},
    {"kind": "status_500", "rate": 0.05},
    {"kind": "duplicate", "rate": 0.3},
    {"kind": "out_of_order", "rate": 0.3, "delay_seconds": 0.2},
    {"kind": "late", "rate": 0.1, "delay_seconds": 0.5},
    {"kind": "no_receipt", "rate": 0.05},
)
OPEN = """
SELECT count(*) FROM outbox
 WHERE done_at IS NULL AND dead_at IS NULL
   AND kind IN ('messages.deliver', 'messages.follow_up', 'inbox.handle')
"""
DUE = """
SELECT count(*) FROM outbox
 WHERE done_at IS NULL AND dead_at IS NULL AND next_at <= now() + $1::interval
"""
LEFT = """
SELECT kind, runs, attempts, created_at, next_at, claimed_until, last_error, payload FROM outbox
 WHERE done_at IS NULL AND dead_at IS NULL
   AND kind IN ('messages.deliver', 'messages.follow_up', 'inbox.handle') LIMIT 5
"""
CHAINS = """
SELECT m.attempt, array_agg(m.id::text) AS ids FROM message m WHERE m.event = 'handover_code' GROUP BY 1
"""
STORY = """
SELECT attempt, channel, state, sends, failure FROM message WHERE attempt = ANY ($1::int[]) ORDER BY 1, place
"""
SECRETS = Settings(
    whatsapp_token="wa-token",
    whatsapp_app_secrets="app-secret",
    twilio_account_sid="AC1",
    twilio_auth_tokens="auth-token",
    public_url=PUBLIC,
)


class Storm:
    """The providers, what they took, and hands that carry messages until there is nothing left."""

    def __init__(self, http: httpx.AsyncClient, clock: Any) -> None:
        self.http = http
        self.clock = clock

    async def strike(self, seed: int) -> None:
        for n, fault in enumerate(FAULTS):
            asked = {"system": "messaging", "seed": seed + n, **fault}
            (await self.http.post("/_faults", json=asked)).raise_for_status()

    async def work(self) -> None:
        while claimed := await lease.claim(HANDS * 4):
            queue = iter(claimed)

            async def hand(rows: Any) -> None:
                for row in rows:
                    await execute(row.id, row.runs, row.kind)

            await asyncio.gather(*(hand(queue) for _ in range(HANDS)))

    async def settle(self) -> None:
        """Work until every provider has said what it has to say."""
        while True:
            await self.work()
            state = (await self.http.get("/_state")).json()
            # Looked at, not claimed: a claim that nobody works off keeps its row away for seconds of
            # the real clock, in which the storm's own goes on for hours.
            if not state["webhooks_waiting"] and not await core_db.value(DUE, core_clock.offset()):
                return
            await asyncio.sleep(0.05)

    async def pass_by(self) -> None:
        for _ in range(60):
            await self.settle()
            if not await core_db.value(OPEN):
                return
            self.clock.advance(timedelta(minutes=3))
        left = await core_db.rows(LEFT)
        raise AssertionError(f"The storm does not end at {self.clock.now()}: {left}")


@pytest.fixture
async def storm(
    db: Any,
    redis: Any,
    clock: Any,
    allow: Callable[[str], None],  # noqa: F811 - the fixture
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Storm]:
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    worker.load_jobs()
    hooks = {
        "whatsapp": WhatsAppHook(("app-secret",)),
        "twilio": TwilioHook(("auth-token",), PUBLIC),
    }
    try:
        with reacting({}), with_whatsapp(monkeypatch):
            async with served(_Doors(create_app())) as target:
                state = str(tmp_path / "sandbox.sqlite")
                own = replace(SECRETS, sandbox_target_url=target, sandbox_state=state)
                async with (
                    served(create_sandbox(own)) as url,
                    httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http,
                ):
                    allow(url)
                    with outside(messenger=_messengers(url), message_hooks=hooks):
                        yield Storm(http, clock)
                    await client.close()
    finally:
        structlog.configure(wrapper_class=before)


class _Doors:
    """The real application, on the pool that the test has opened."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        await self._app(scope, receive, send)


def _messengers(url: str) -> Messengers:
    quick = {"total_seconds": 0.4}
    return Messengers(
        SandboxMessenger(url, ""),
        whatsapp=WhatsApp(f"{url}/whatsapp", "1055", "wa-token", **quick),
        sms={"*": Twilio(f"{url}/twilio", "AC1", "auth-token", "+15005550006", PUBLIC, **quick)},
    )


async def play(storm: Storm, messages: int, seed: int) -> Counter[str]:
    order: Travelling = await quiet_order()
    for attempt in range(1, messages + 1):
        reader = Recipient(language="en", phone=f"+97150{attempt:07d}")
        await write(order, attempt=attempt, reader=reader)
    await storm.strike(seed)
    await storm.pass_by()
    taken = (await storm.http.get("/messages")).json()
    by_number = Counter(one["reference"] for one in taken)
    doubled = [number for number, times in by_number.items() if times > 1]
    chains = await core_db.rows(CHAINS)
    assert len(chains) == messages
    lost = [row["attempt"] for row in chains if not any(by_number[one] for one in row["ids"])]
    stories = await core_db.rows(STORY, lost)
    assert (lost, doubled) == ([], []), f"seed {seed}: {stories}"
    assert [one for one in await doctor.run() if one.check.startswith(("IQ", "IO1"))] == []
    states = await core_db.rows("SELECT channel, state, count(*) AS n FROM message GROUP BY 1, 2")
    return Counter({f"{row['channel']} {row['state']}": row["n"] for row in states})


async def test_nothing_is_lost_and_nothing_doubled(storm: Storm) -> None:
    ended = await play(storm, 1000, seed=7)
    assert ended["whatsapp read"] > 600 and ended["sms delivered"] > 50, ended
    fired = {one["kind"]: one["fired"] for one in (await storm.http.get("/_faults")).json()}
    assert all(fired.values()), fired


@pytest.mark.soak
async def test_nothing_is_lost_and_nothing_doubled_of_ten_thousand(storm: Storm) -> None:
    await play(storm, 10_000, seed=8)
