"""Attempts that failed at the door, kept whole whatever the journey says to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.modules.tms.schemas import FailedAttempt


async def known_attempt(event_id: UUID) -> dict[str, Any] | None:
    """Find a failed attempt that was told before: (stop_id, kind, reason)."""
    return await db.row(
        "SELECT stop_id, kind, reason FROM delivery_attempt WHERE id = $1", event_id
    )


@db.transactional
async def keep_attempt(
    actor: Actor,
    stop: dict[str, Any],
    attempt: int,
    kind: str,
    told: FailedAttempt,
    verdict: str,
) -> None:
    """Keep a failed attempt with its pictures; its event id is its key, so it is kept once."""
    place = told.place
    await db.execute(
        "INSERT INTO delivery_attempt (id, order_id, fulfilment_id, stop_id, attempt, person_id,"
        " device_id, kind, reason, words, called, dwell_seconds, wished_on, photos, lat, lng,"
        " accuracy_m, verdict, captured_at, recorded_at)"
        " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)",
        told.event_id,
        stop["order_id"],
        stop["fulfilment_id"],
        stop["id"],
        attempt,
        actor.person_id,
        actor.device_id,
        kind,
        told.reason,
        told.words,
        told.called,
        told.dwell_seconds,
        told.wished_on,
        [photo.sha256 for photo in told.photos],
        place and place.lat,
        place and place.lng,
        place and place.accuracy_m,
        verdict,
        told.captured_at,
        now(),
    )


async def failed_attempts(fulfilment_id: UUID) -> int:
    """Count how often a delivery failed, told by our own people or by a carrier."""
    found: int = await db.value(
        "SELECT count(*) FROM detour_case WHERE fulfilment_id = $1 AND kind = 'delivery_failed'",
        fulfilment_id,
    )
    return found


@db.transactional
async def keep_answer(
    event_id: UUID, order_id: UUID, fulfilment_id: UUID, case_id: UUID, said: str, words: str
) -> str:
    """Keep what the customer says of a failed attempt; return what stands, which is the first word."""
    kept: str = await db.value(
        "INSERT INTO attempt_answer (id, order_id, fulfilment_id, case_id, said, words, said_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (case_id) DO UPDATE SET said = attempt_answer.said RETURNING said",
        event_id,
        order_id,
        fulfilment_id,
        case_id,
        said,
        words,
        now(),
    )
    return kept
