"""Where people on the road are while they work: kept by their work, never outside of it.

The work is what the server knows of: an open shift, a run that was accepted, a visit that was started.
When that was is told by the phone's own capture of it where there is one, so that somebody who had
no signal in the morning is not refused the morning (IC6).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.captures import clocks
from doorstep.core.clock import now
from doorstep.modules.places import rules
from doorstep.modules.places import service as places

# A person's clock is that of the channel that the person works in.
PHONE = """
SELECT d.created_at AS enrolled_at, d.person_id, z.zone FROM device d JOIN person p ON p.id = d.person_id
 CROSS JOIN LATERAL ({zone}) z WHERE d.id = $1
"""

ZONE = """
SELECT coalesce((SELECT c.zone FROM channel c WHERE c.id = coalesce(
         (SELECT l.channel_id FROM location l WHERE l.id = p.location_id),
         (SELECT t.channel_id FROM technician t WHERE t.person_id = p.id),
         p.channel_ids[1])), 'UTC') AS zone
"""

# {c} is a capture: when it was made, as far as that is possible. NULL where the step had none.
_TOLD = "greatest({c}.earliest_at, least({c}.captured_at, {c}.latest_at))"
_BEGUN = _TOLD.format(c="b")
_ENDED = _TOLD.format(c="e")

# What was recorded as begun in the day before the first of the moments, or later: nothing lasts longer.
DUTIES = f"""
SELECT d.kind, d.id, d.begins, d.ends FROM (
  SELECT 'shift' AS kind, s.id, least(s.opened_at, {_BEGUN}) AS begins,
         CASE WHEN s.state = 'closed' THEN least(s.closed_at, {_ENDED}) END AS ends
    FROM shift_member m JOIN shift s ON s.id = m.shift_id
    LEFT JOIN capture b ON b.event_id = s.open_event_id
    LEFT JOIN capture e ON e.event_id = s.close_event_id
   WHERE m.person_id = $1 AND s.opened_at >= $2
  UNION ALL
  SELECT 'run', r.id, least(r.accepted_at, {_BEGUN}), r.finished_at
    FROM delivery_run r LEFT JOIN capture b ON b.event_id = r.accept_event_id
   WHERE r.person_id = $1 AND r.shift_id IS NULL AND r.accepted_at >= $2
  UNION ALL
  SELECT 'visit', v.id, least(v.started_at, {_BEGUN}),
         CASE WHEN v.state <> 'started' THEN coalesce(v.completed_at,
           (SELECT min(f.recorded_at) FROM visit_failure f WHERE f.visit_id = v.id),
           upper(v.during)) END
    FROM visit v LEFT JOIN capture b ON b.event_id = v.start_event_id
   WHERE v.technician_id = $1 AND v.started_at >= $2) d
 WHERE d.begins <= $3 AND (d.ends IS NULL OR d.ends >= $4)
 ORDER BY d.begins, d.id
"""  # noqa: S608 - constants of this file

Why = Literal["off_duty", "too_old"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A place as a phone tells it, with the times that a capture carries (`core/captures/clocks.py`)."""

    id: UUID
    captured_at: datetime
    mono_ms: int
    server_at: datetime | None
    server_mono_ms: int | None
    lat: float
    lng: float
    accuracy_m: float
    speed_mps: float | None
    battery: places.Battery | None


class Outcome(NamedTuple):
    """Which fixes are kept now, or were before, and which never will be and why."""

    kept: list[UUID]
    refused: list[tuple[UUID, Why]]


async def keep(device_id: UUID, told: Sequence[Told]) -> Outcome:
    """Keep the fixes that a phone tells, each once, if its person was at work then; forget the others."""
    moment = now()
    phone = await db.one(PHONE.format(zone=ZONE), device_id)
    times = {one.id: _when(one, phone["enrolled_at"], moment) for one in told}
    duties = await _duties(phone["person_id"], list(times.values()))
    kept: list[places.Fix] = []
    refused: list[tuple[UUID, Why]] = []
    for one in told:
        at = times[one.id]
        duty = rules.duty_at(at, duties)
        if at <= moment - rules.KEPT_FOR:
            refused.append((one.id, "too_old"))
        elif duty is None:
            refused.append((one.id, "off_duty"))
        else:
            kept.append(
                places.Fix(
                    id=one.id,
                    at=at,
                    lat=one.lat,
                    lng=one.lng,
                    accuracy_m=one.accuracy_m,
                    speed_mps=one.speed_mps,
                    battery=one.battery,
                    duty=duty,
                )
            )
    if kept:
        await places.keep(phone["person_id"], device_id, phone["zone"], kept)
    return Outcome([fix.id for fix in kept], refused)


async def zone_of(person_id: UUID) -> str:
    """Tell by which clock a person works."""
    zone: str = await db.value(
        f"SELECT z.zone FROM person p CROSS JOIN LATERAL ({ZONE}) z WHERE p.id = $1",  # noqa: S608
        person_id,
    )
    return zone


async def _duties(person_id: UUID, times: Sequence[datetime]) -> list[rules.Duty]:
    first, last = min(times), max(times)
    since = first - rules.LONGEST_DUTY - timedelta(minutes=1)
    rows = await db.rows(DUTIES, person_id, since, last, first)
    return [rules.Duty(**row) for row in rows]


def _when(one: Told, enrolled_at: datetime, moment: datetime) -> datetime:
    """Take the phone's time as far as it is possible, else the nearest that is."""
    within = clocks.interval(
        one.mono_ms,
        one.server_at,
        one.server_mono_ms,
        not_before=enrolled_at,
        received_at=moment,
    )
    return max(within.earliest, min(one.captured_at, within.latest))
