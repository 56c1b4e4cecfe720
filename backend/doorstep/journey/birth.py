"""How a fulfilment begins: at intake, or later for goods that are still owed (`replaces_id`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.journey.detours import BY_KIND
from doorstep.journey.entries import entry
from doorstep.journey.facts import derived_id
from doorstep.journey.rules import Evidence, How, standing_at


class BornLine(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity of an order line in a new fulfilment."""

    order_line_id: UUID
    product_id: UUID
    quantity: int
    id: UUID = msgspec.field(default_factory=uuid7)


class Born(msgspec.Struct, frozen=True, kw_only=True):
    """A fulfilment to begin: what travels from where, whose it is, and what it stands in for.

    `short`: why no stock covers it; it then begins with the detour `short_stock`.
    """

    parcel: int
    lines: tuple[BornLine, ...]
    location_id: UUID | None
    owner_id: UUID | None
    needs_install: bool
    has_warranty: bool
    collection: bool
    replaces_id: UUID | None = None
    po_id: UUID | None = None
    short: str = ""
    passed: tuple[tuple[int, How], ...] = ()
    """Stages beyond 1001 that the parcel it is split from has settled for these goods, and how."""
    id: UUID = msgspec.field(default_factory=uuid7)

    def as_json(
        self, order_id: UUID, placed_at: datetime, actor: Actor, evidence: Sequence[Evidence] = ()
    ) -> dict[str, Any]:
        """Write it as `journey_begin` takes it, with 1001 as its first event."""
        moment = now()
        proofs = [Evidence("order", str(order_id)), *evidence]
        events = [
            entry(
                derived_id(self.id, "1001"), "stage", "1001", actor, proofs, placed_at, stage=1001
            )
        ]
        origin = Actor.system("split", request_id=actor.request_id)
        events += [
            entry(
                derived_id(self.id, str(stage)), "stage", str(stage), origin, evidence, moment,
                stage=stage, how=how,
            )
            for stage, how in self.passed
        ]  # fmt: skip
        stage, progress = standing_at([1001, *(code for code, _ in self.passed)])
        detour = None
        if self.short:
            row = BY_KIND["short_stock"]
            case_id = derived_id(self.id, row.kind)
            system = Actor.system("routing", request_id=actor.request_id)
            events.append(entry(case_id, "detour", row.kind, system, (), moment))
            detour = {
                "id": case_id,
                "kind": row.kind,
                "blocks_from": row.blocks_from,
                "holds_from": row.holds_from,
                "reason": "",
                "detail": self.short,
            }
        return {
            "id": self.id,
            "parcel": self.parcel,
            "stage": stage,
            "progress": progress,
            "location_id": self.location_id,
            "owner_id": self.owner_id,
            "replaces_id": self.replaces_id,
            "po_id": self.po_id,
            "needs_vendor": self.owner_id is not None,
            "needs_install": self.needs_install,
            "has_warranty": self.has_warranty,
            "collection": self.collection,
            "lines": [msgspec.structs.asdict(line) for line in self.lines],
            "events": events,
            "detour": detour,
        }


async def begin(born: Born, replaced: dict[str, Any], *, actor: Actor) -> UUID:
    """Begin a fulfilment beside or after another one of the same order, whose lock is held.

    It copies 1001; 1002 follows from the order's payment (flows/settle.py). Returns its id.
    """
    placed_at = await db.value(
        "SELECT captured_at FROM journey_event WHERE fulfilment_id = $1 AND stage = 1001 AND seq = 1",
        replaced["id"],
    )
    content = born.as_json(
        replaced["order_id"], placed_at, actor, [Evidence("fulfilment", str(replaced["id"]))]
    )
    await db.execute(
        "SELECT journey_begin($1, $2, $3, $4)",
        content,
        replaced["order_id"],
        replaced["channel_id"],
        now(),
    )
    return born.id


async def next_parcel(order_id: UUID) -> int:
    """Tell the number of an order's next parcel; the caller holds the order's lock."""
    found: int = await db.value(
        "SELECT max(parcel) + 1 FROM fulfilment WHERE order_id = $1", order_id
    )
    return found
