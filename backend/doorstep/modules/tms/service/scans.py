"""Scans: kept by set in one statement, whatever they are of (SPEC J1009-J1011)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotAllowed
from doorstep.modules.tms import rules, sql
from doorstep.modules.tms.schemas import Scan


class Kept(NamedTuple):
    """What became of one scan; every one of these means that it is stored."""

    scan_uid: UUID
    verdict: Literal["stored", "duplicate", "unknown_label"]


async def keep_scans(actor: Actor, scans: Sequence[Scan]) -> list[Kept]:
    """Store scans once each, in one statement, and have those evaluated that can complete a stage.

    Raises: NotAllowed for somebody who is no person.
    """
    if actor.person_id is None:
        raise NotAllowed("Scans are made by a person.")
    stored = await db.rows(
        sql.KEEP_SCANS,
        [scan.scan_uid for scan in scans],
        [scan.label_no for scan in scans],
        [scan.kind for scan in scans],
        [scan.captured_at for scan in scans],
        [scan.place and scan.place.lat for scan in scans],
        [scan.place and scan.place.lng for scan in scans],
        [scan.place and scan.place.accuracy_m for scan in scans],
        [scan.location_id or actor.location_id for scan in scans],
        actor.person_id,
        actor.role,
        actor.device_id,
        now(),
        actor.request_id,
    )
    known: dict[UUID, bool] = {row["scan_uid"]: row["known"] for row in stored}
    if any(known.get(scan.scan_uid) and scan.kind in rules.FOLLOWED for scan in scans):
        db.after_commit(outbox.wake)
    return [Kept(scan.scan_uid, _verdict(known.pop(scan.scan_uid, None))) for scan in scans]


def _verdict(known: bool | None) -> Literal["stored", "duplicate", "unknown_label"]:
    if known is None:
        return "duplicate"
    return "stored" if known else "unknown_label"
