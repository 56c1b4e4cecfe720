"""Messages to be carried: a messenger whose fate tests decide, and one order that they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from doorstep import ports, worker
from doorstep import settings as settings_module
from doorstep.core import db
from doorstep.modules.messages import service
from doorstep.modules.messages.service import About, Recipient
from tests.factories.care import Travelling, outside, place
from tests.support.worker import run_due

PHONE, EMAIL = "+971501234567", "aisha@example.com"
READER = Recipient(language="en", phone=PHONE, email=EMAIL)
FACTS = {
    "company": "Doorstep", "order_number": "DS-1", "title": "Out For Delivery", "visit": "",
    "sentence": "Delivery executive assigned.", "goods": "", "total": "AED 1.00", "code": "{secret}",
}  # fmt: skip


class Providers:
    """A messenger with a provider per channel; `fates` says what the next hand-over does.

    What is due at one moment goes out in any order: `of_channel` says it for one channel.
    """

    def __init__(self) -> None:
        self.sent: list[ports.Letter] = []
        self.fates: list[Exception | None] = []
        self.of_channel: dict[str, list[Exception | None]] = {}
        self.keyed = False

    def route(self, channel: str, to: str) -> ports.Route:
        return ports.Route(channel, self.keyed)

    async def send(self, letter: ports.Letter) -> str:
        fates = self.of_channel.get(letter.channel) or self.fates
        fate = fates.pop(0) if fates else None
        if isinstance(fate, ports.OutcomeUnknown) or fate is None:
            self.sent.append(letter)
        if fate is not None:
            raise fate
        return f"{letter.channel}-{len(self.sent)}"

    @property
    def channels(self) -> list[str]:
        """List the channels of what was sent, in that order."""
        return [letter.channel for letter in self.sent]


@contextmanager
def with_whatsapp(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the company have a number at WhatsApp for the block."""
    monkeypatch.setenv("WHATSAPP_PHONE_NUMBER_ID", "1055")
    settings_module.reload()
    try:
        yield
    finally:
        monkeypatch.delenv("WHATSAPP_PHONE_NUMBER_ID")
        settings_module.reload()


@contextmanager
def carrying(messenger: ports.Messenger) -> Iterator[None]:
    """Bind every job, and this messenger."""
    worker.load_jobs()
    with outside(messenger=messenger):
        yield


async def quiet_order() -> Travelling:
    """Place an order whose own jobs are done, so that only what tests write is carried."""
    order = await place(("KET-17", 1))
    await db.execute("UPDATE outbox SET done_at = now()")
    return order


async def write(
    order: Travelling, event: str = "handover_code", *, attempt: int = 1, **given: Any
) -> list[UUID]:
    """Write about the first parcel of an order."""
    about = About(order_id=order.order_id, fulfilment_id=order.parcels[0], attempt=attempt)
    secret = given.pop("secret", "482915" if event == "handover_code" else None)
    reader = given.pop("reader", READER)
    return await service.write(event, about, reader, FACTS, secret=secret, **given)


async def states(event: str = "handover_code") -> dict[str, str]:
    """Tell the state of each channel of an event."""
    rows = await db.rows("SELECT channel, state FROM message WHERE event = $1", event)
    return {row["channel"]: row["state"] for row in rows}


async def carry() -> list[tuple[str, str]]:
    """Run the jobs of messages that are due."""
    return [(kind, how) for kind, how in await run_due() if kind.startswith("messages.")]


def reported(
    provider_id: str, status: str, *, message_id: str = "", means: str = ""
) -> ports.MessageReport:
    """Make a report."""
    said: Any = means or status
    return ports.MessageReport(
        provider_id=provider_id, status=status, means=said, at=None, message_id=message_id
    )
