"""A history with everything that a journey can tell of: stages, detours, evidence, facts, checkpoints."""

from __future__ import annotations

import hashlib
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor, Source
from doorstep.core.ids import uuid7
from doorstep.flows.place_order import place_order
from doorstep.journey import Evidence, chain
from doorstep.journey.detours import BY_KIND
from doorstep.journey.stages import BY_CODE
from tests.factories.world import SHOP, an_order, make_world


async def a_rich_history() -> list[UUID]:
    """Let two parcels of one order travel with stages, detours, evidence, facts and checkpoints."""
    await make_world()
    lines = (("WM-7KG", 1), ("MIX-500", 1))
    await place_order(an_order(*lines), actor=SHOP, may_be_short=False)
    rows = await db.rows("SELECT id FROM fulfilment ORDER BY needs_vendor DESC")
    theirs, ours = (row["id"] for row in rows)
    for parcel in (theirs, ours):
        await take(parcel, *range(1002, 1005))
    await chain.write_checkpoint()
    await meet(theirs, "qc_mismatch", "warehouse", at=1005)
    await take(theirs, 1005, 1006, 1007, 1008, 1008)
    await meet(ours, "repick", "warehouse", at=1005)
    await take(ours, *range(1005, 1009))
    await journey.state_fact("bytes_verified", theirs, actor=Actor.system("test"))
    await chain.write_checkpoint()
    await take(theirs, 1012)
    await meet(theirs, "delivery_failed", "delivery", reason="not_home")
    await take(theirs, 1012, 1013, 1013)
    await meet(theirs, "dispute", "finance", settled_by="finance")
    await take(theirs, 1014, 1015)
    await meet(ours, "lost", "dispatcher")
    await take(ours, 1013)
    await chain.write_checkpoint()
    return [theirs, ours]


async def take(parcel: UUID, *codes: int) -> None:
    for code in codes:
        row = BY_CODE[code]
        role = "courier" if "courier" in row.roles else min(row.roles)
        kind = "carrier_event" if "carrier_event" in row.evidence else min(row.evidence)
        await journey.advance(
            uuid7(),
            parcel,
            code,
            actor=somebody(role, "phone"),
            evidence=[Evidence(kind, f"{kind}:{code}", hashlib.sha256(kind.encode()).hexdigest())],
        )


def somebody(role: str, source: Source) -> Actor:
    """Act as a person who has sent a request, from a phone or at a screen."""
    device_id = uuid7() if source == "phone" else None
    request_id = uuid7().hex
    return Actor(
        role=role, source=source, person_id=uuid7(), device_id=device_id, request_id=request_id
    )


async def meet(
    parcel: UUID, kind: str, role: str, *, reason: str = "", at: int = 0, settled_by: str = ""
) -> None:
    if at:
        await take(parcel, at)
    actor = somebody(role, "phone")
    assert not reason or reason in BY_KIND[kind].reasons
    answer = await journey.open_detour(uuid7(), parcel, kind, actor=actor, reason=reason)
    assert answer.verdict == "applied", answer
    if settled_by:
        await journey.settle_detour(uuid7(), parcel, kind, actor=somebody(settled_by, "person"))
