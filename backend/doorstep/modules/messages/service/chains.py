"""The messages of one chain: what a change of one of them does to the others, under the lock of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import clock, db, outbox
from doorstep.modules.messages import sql
from doorstep.modules.messages.delivery_rules import ARRIVED, after_report

Row = dict[str, Any]


class Locked(NamedTuple):
    """A message and those of its chain, locked; `moment` is the database's time."""

    message: Row
    chain: Sequence[Row]
    moment: datetime

    @property
    def behind(self) -> list[Row]:
        """List the messages that stand by behind this one."""
        return [
            row
            for row in self.chain
            if row["place"] > self.message["place"] and row["state"] == "standby"
        ]

    @property
    def followed(self) -> bool:
        """Tell whether a message behind this one has been used in its stead."""
        unused = ("standby", "skipped")
        return any(
            row["place"] > self.message["place"] and row["state"] not in unused
            for row in self.chain
        )


async def lock(message_id: UUID) -> Locked | None:
    """Lock a message with the others of its chain; None when there is none."""
    rows = await db.rows(sql.LOCKED, message_id, clock.offset())
    found = next((row for row in rows if row["id"] == message_id), None)
    return None if found is None else Locked(found, rows, found["moment"])


async def use_next(locked: Locked) -> bool:
    """Send the next message of the chain, if it still stands by; tell whether there was one."""
    if not locked.behind:
        return False
    following = locked.behind[0]
    await db.execute(sql.QUEUE, following["id"], locked.moment)
    payload = {"message_id": following["id"]}
    order_id = following["order_id"]
    additions = [outbox.Addition("messages.deliver", payload, order_id)]
    if len(locked.behind) > 1:
        wait = timedelta(minutes=following["receipt_minutes"])
        key = f"follow_up:{following['id']}"
        additions.append(
            outbox.Addition("messages.follow_up", payload, order_id, key, clock.now() + wait)
        )
    await outbox.add_many(additions)
    return True


async def end(locked: Locked, state: str, why: str) -> None:
    """End a message that is not sent any more, and forget its secret."""
    await db.execute(sql.END, [locked.message["id"]], state, why)


async def close_behind(locked: Locked, why: str) -> None:
    """Let those that would have been sent in this one's stead rest, if they have not gone out."""
    others = [
        row["id"]
        for row in locked.chain
        if row["id"] != locked.message["id"] and row["state"] in ("standby", "queued")
    ]
    if others:
        await db.execute(sql.END, others, "skipped", why)


async def hear(locked: Locked, means: str, provider: str, provider_id: str, reason: str) -> None:
    """Apply what a provider says of a message: never back, and the chain follows it."""
    message = locked.message
    state = after_report(message["state"], means)
    if state == message["state"]:
        return
    await db.execute(
        sql.ADVANCE, message["id"], state, provider, provider_id, locked.moment, reason or means
    )
    if state in ARRIVED:
        await close_behind(locked, "It has arrived on another channel.")
    elif state == "failed" and not (locked.followed or await use_next(locked)):
        await ask_support(message, reason or "The provider could not deliver it.")
    message["state"] = state


async def ask_support(message: Row, reason: str) -> None:
    """Ask a person to look at a message that reaches nobody.

    One to our own people about a problem opens none: it would be escalated, refused, and so on.
    """
    if message["problem_id"] is not None and message["order_id"] is None:
        return
    payload = {
        "kind": "message_refused",
        "title": "A message could not be delivered",
        "detail": reason[:1500],
        "ref": str(message["id"]),
        "order_id": str(message["order_id"]) if message["order_id"] else None,
        "owner_role": "support",
    }
    await outbox.add(
        "helpdesk.open_problem",
        payload,
        order_id=message["order_id"],
        key=f"message_refused:{message['id']}",
    )
