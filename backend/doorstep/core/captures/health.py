"""How each phone stands: what it says of itself with a push, and when the server last heard it.

Owns the table `sync_health`, one row per device that is written over; what was before nobody asks.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
import structlog
from msgspec import Meta, Raw, Struct

from doorstep.core import db
from doorstep.core.auth.devices import Device
from doorstep.core.clock import now

log = structlog.get_logger(__name__)

PULL_NOTED_EVERY = timedelta(minutes=1)
"""A phone that pulls more often is not written down each time."""

Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Bytes = Annotated[int, Meta(ge=0, le=2**53)]
Offset = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Age = Annotated[int, Meta(ge=0, le=20 * 366 * 86_400_000)]


class Health(Struct, kw_only=True):
    """What a phone holds once the push that says so is through; a newer one may say more.

    `oldest_age_ms`: how long ago the oldest of all that waits was captured, by the phone's clock
    at both ends. `clock_offset_ms`: by how much that clock is ahead of the server's.
    """

    entries: Number
    entry_bytes: Bytes
    pictures: Number
    picture_bytes: Bytes
    quarantined: Number
    oldest_age_ms: Age | None = None
    storage_used: Bytes | None = None
    storage_quota: Bytes | None = None
    storage_persisted: bool | None = None
    clock_offset_ms: Offset | None = None


PUSHED = """
INSERT INTO sync_health AS h (device_id, last_push_at, last_receipt_at)
VALUES ($1, $2::timestamptz, CASE WHEN $3 THEN $2::timestamptz END)
ON CONFLICT (device_id) DO UPDATE SET last_push_at = excluded.last_push_at,
  last_receipt_at = coalesce(excluded.last_receipt_at, h.last_receipt_at)
"""

TOLD = """
UPDATE sync_health SET reported_at = $2, entries = $3, entry_bytes = $4, pictures = $5,
  picture_bytes = $6, quarantined = $7, oldest_at = $8, storage_used = $9, storage_quota = $10,
  storage_persisted = $11, clock_offset_ms = $12
WHERE device_id = $1 AND (reported_at IS NULL OR reported_at <= $2)
"""

PULLED = """
INSERT INTO sync_health AS h (device_id, last_pull_at) VALUES ($1, $2)
ON CONFLICT (device_id) DO UPDATE SET last_pull_at = excluded.last_pull_at
WHERE h.last_pull_at IS NULL OR h.last_pull_at <= $3
"""


UNREADABLE = """
INSERT INTO sync_health AS h (device_id, places_unreadable, places_unreadable_at) VALUES ($1, $3, $2)
ON CONFLICT (device_id) DO UPDATE SET places_unreadable = h.places_unreadable + excluded.places_unreadable,
  places_unreadable_at = excluded.places_unreadable_at
"""


def read(raw: Raw) -> Health | None:
    """Read what a phone says of itself; None where it says nothing that can be read."""
    try:
        return msgspec.json.decode(raw, type=Health | None)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as wrong:
        log.info("captures.health_unreadable", reason=str(wrong)[:200])
        return None


@db.transactional
async def pushed(device: Device, health: Health | None, *, receipts: int) -> None:
    """Note a push that is through, and what the phone said of itself with it."""
    moment = now()
    await db.execute(PUSHED, device.id, moment, receipts > 0)
    if health is not None:
        await db.execute(TOLD, device.id, moment, *_columns(health, moment))


async def pulled(device: Device) -> None:
    """Note a pull, at most once a minute."""
    moment = now()
    await db.execute(PULLED, device.id, moment, moment - PULL_NOTED_EVERY)


async def places_unreadable(device_id: UUID, count: int) -> None:
    """Note that so many places of a phone could not be read: they are lost, and a desk should see it."""
    await db.execute(UNREADABLE, device_id, now(), count)


def _columns(health: Health, moment: datetime) -> tuple[Any, ...]:
    age = health.oldest_age_ms
    return (
        health.entries,
        health.entry_bytes,
        health.pictures,
        health.picture_bytes,
        health.quarantined,
        None if age is None else moment - timedelta(milliseconds=age),
        health.storage_used,
        health.storage_quota,
        health.storage_persisted,
        health.clock_offset_ms,
    )
