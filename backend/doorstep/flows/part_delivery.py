"""A part delivery: what is handed over passes 1013, the rest travels on in a parcel of its own.

The rest stands on the same purchase order, so that V3 to V6 wait for it (SPEC J, "PO and
fulfilment"). What was left behind goes out again; what the customer refused comes back; what is
damaged comes back and is sent anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.flows.split import LINES, add_up, split_off
from doorstep.modules.fsm import service as fsm
from doorstep.modules.tms.schemas import KeptBack, KeptBackAs


async def understood(fulfilment_id: UUID, kept_back: Sequence[KeptBack]) -> bool:
    """Tell whether what was kept back is of this parcel, and leaves something handed over."""
    lines = {row["id"]: row for row in await db.rows(LINES, fulfilment_id)}
    kept: dict[UUID, int] = defaultdict(int)
    for one in kept_back:
        line = lines.get(one.fulfilment_line_id)
        if line is None or not set(one.serials) <= set(line["serials"]):
            return False
        kept[one.fulfilment_line_id] += one.quantity
    if any(quantity > lines[line_id]["quantity"] for line_id, quantity in kept.items()):
        return False
    carried: int = sum(line["quantity"] for line in lines.values())
    return sum(kept.values()) < carried


async def split(
    fulfilment: dict[str, Any], kept_back: Sequence[KeptBack], event_id: UUID, *, actor: Actor
) -> list[UUID]:
    """Take what was kept back out of a parcel, into one for each thing that becomes of it.

    The caller holds the fulfilment's lock; 1013 is not passed yet. Returns the new parcels.
    """
    by_fate: dict[KeptBackAs, list[KeptBack]] = defaultdict(list)
    for one in kept_back:
        by_fate[one.reason].append(one)
    begun = []
    for fate, goods in sorted(by_fate.items()):
        parcel_id = await split_off(fulfilment, add_up(goods), before=1012, actor=actor)
        await _follow(fate, parcel_id, event_id, actor)
        begun.append(parcel_id)
    await _settle_flags(fulfilment["id"])
    return begun


async def _follow(fate: KeptBackAs, parcel_id: UUID, event_id: UUID, actor: Actor) -> None:
    system = Actor.system("part_delivery", request_id=actor.request_id)
    kind, reason = _FATES[fate]
    if kind:
        await journey.open_detour(
            journey.derived_id(parcel_id, f"kept_back:{event_id}"),
            parcel_id,
            kind,
            actor=system,
            reason=reason,
            detail="Kept back at the door.",
        )


_FATES: Mapping[KeptBackAs, tuple[str, str]] = {
    "left_behind": ("", ""),
    "refused": ("return_to_origin", ""),
    "damaged": ("replaced", "damaged"),
}
"""What becomes of goods that were not handed over: the detour that says so, if there is one."""


async def _settle_flags(fulfilment_id: UUID) -> None:
    """Let the parcel be only what it still carries; a visit for goods that are gone is called off."""
    rows = await db.rows(LINES, fulfilment_id)
    installs = any(row["needs_install"] for row in rows)
    await journey.set_flags(
        fulfilment_id,
        needs_install=installs,
        has_warranty=any(row["has_warranty"] for row in rows),
    )
    if not installs:
        await fsm.drop_visit(fulfilment_id, "cancelled")


async def differing_serials(fulfilment_id: UUID, scanned: Sequence[str]) -> str:
    """Say how serials read off the goods differ from those that were picked, or nothing."""
    picked = {serial for row in await db.rows(LINES, fulfilment_id) for serial in row["serials"]}
    if not scanned or set(scanned) <= picked:
        return ""
    others = ", ".join(sorted(set(scanned) - picked))
    return f"Read off the goods: {others}. Picked: {', '.join(sorted(picked)) or 'none'}."
