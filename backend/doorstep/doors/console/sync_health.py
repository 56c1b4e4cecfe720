"""Desks: how the phone of each person stands, what is wrong with it, and what to do about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import get
from litestar.params import QueryParameter
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.flows import phone_rules
from doorstep.flows.phone_work import WORK
from doorstep.settings import settings

# {scope} comes from core.auth.scope: names of ours, values bound. Phones that were shut out are gone.
PHONES = """
SELECT d.id AS device_id, d.label, d.state, d.app_version, p.id AS person_id, p.name, p.role,
       p.location_id, greatest(d.last_seen_at, h.last_push_at, h.last_pull_at) AS heard_at,
       work.what AS work, work.since AS work_since,
       h.last_push_at, h.last_pull_at, h.last_receipt_at, h.reported_at, h.entries, h.entry_bytes,
       h.pictures, h.picture_bytes, h.quarantined, h.oldest_at, h.storage_used, h.storage_quota,
       h.storage_persisted, h.clock_offset_ms, coalesce(h.places_unreadable, 0) AS places_unreadable,
       h.places_unreadable_at,
       u.subscribed AS push_subscribed, u.last_push_acked_at AS last_push_shown_at,
       u.unacked AS push_unshown, u.unacked_since AS push_unshown_since
  FROM device d JOIN person p ON p.id = d.person_id
  JOIN device_push u ON u.device_id = d.id
  LEFT JOIN sync_health h ON h.device_id = d.id
  {work}
 WHERE d.state <> 'revoked' AND ($1::uuid IS NULL OR p.id = $1)
   AND ($2::uuid IS NULL OR p.location_id = $2) AND {scope}
 ORDER BY p.name, p.id, d.last_seen_at DESC, d.id
"""


class TroubleOut(Struct):
    """Something that is wrong with a phone, and what to do about it."""

    name: str
    words: str
    remedy: str


class PhoneHealth(Struct, kw_only=True):
    """A phone of a person. What it says of itself is null until it has said it once.

    `state` names the worst of `troubles`, or is `well`. `work` says why it is at work today, null if it is
    not; `work_since` is null while that has not begun. `oldest_at`: when the oldest of what waits
    on it was captured. `clock_offset_ms`: by how much its clock is ahead. `places_unreadable` counts
    places of its that could not be read, `push_unshown` what it was told since it last said that it
    showed something.
    """

    person_id: UUID
    name: str
    role: str
    location_id: UUID | None
    device_id: UUID
    label: str
    device_state: str
    work: phone_rules.Work | None
    work_since: datetime | None
    heard_at: datetime
    last_push_at: datetime | None
    last_pull_at: datetime | None
    last_receipt_at: datetime | None
    app_version: str
    reported_at: datetime | None
    entries: int | None
    entry_bytes: int | None
    pictures: int | None
    picture_bytes: int | None
    quarantined: int | None
    oldest_at: datetime | None
    storage_used: int | None
    storage_quota: int | None
    storage_persisted: bool | None
    clock_offset_ms: int | None
    places_unreadable: int
    places_unreadable_at: datetime | None
    push_subscribed: bool
    last_push_shown_at: datetime | None
    push_unshown: int
    push_unshown_since: datetime | None
    state: str
    troubles: list[TroubleOut]


class PhoneHealthPage(Struct):
    """Some of the phones, by the name of their person; `total` counts all that the filters let in."""

    total: int
    phones: list[PhoneHealth]


@get(
    "/console/sync-health",
    operation_id="readSyncHealth",
    opt=needs("core:sync_health:read"),
    tags=["sync"],
)
async def read_sync_health(
    actor: Actor,
    person_id: UUID | None = None,
    location_id: UUID | None = None,
    needs_attention: bool | None = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
    offset: Annotated[int, QueryParameter(ge=0, le=100_000)] = 0,
) -> PhoneHealthPage:
    """List the phones of the people in sight, one row for each person and phone."""
    condition, arguments = scope(actor).people("p", first=4)
    query = PHONES.format(scope=condition, work=WORK.format(moment="$3"))
    rows = await db.rows(query, person_id, location_id, now(), *arguments)
    phones = [_judged(row) for row in rows]
    if needs_attention is not None:
        phones = [one for one in phones if bool(one.troubles) == needs_attention]
    return PhoneHealthPage(len(phones), phones[offset : offset + limit])


def _judged(row: dict[str, Any]) -> PhoneHealth:
    phone = phone_rules.Phone(
        work=row["work"],
        work_since=row["work_since"],
        heard_at=row["heard_at"],
        app_version=row["app_version"],
        entries=row["entries"] or 0,
        pictures=row["pictures"] or 0,
        quarantined=row["quarantined"] or 0,
        oldest_at=row["oldest_at"],
        storage_used=row["storage_used"],
        storage_quota=row["storage_quota"],
        clock_offset_ms=row["clock_offset_ms"],
        places_unreadable_at=row["places_unreadable_at"],
        push_subscribed=row["push_subscribed"] if settings().vapid_private_key else None,
        push_silent_since=row["push_unshown_since"],
    )
    found = phone_rules.troubles(phone, now(), oldest_version=settings().field_app_oldest)
    device_state = row.pop("state")
    return PhoneHealth(
        **row,
        device_state=device_state,
        state=found[0].name if found else "well",
        troubles=[TroubleOut(*one) for one in found],
    )


handlers = [read_sync_health]
"""The routes of this door."""
