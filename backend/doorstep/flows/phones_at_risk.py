"""Phones that may cost what was done: a desk hears of each, until the phone says that it is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.flows import phone_rules
from doorstep.modules.helpdesk import service as helpdesk

KINDS = ("captures_waiting", "captures_quarantined")

QUIET = timedelta(hours=24)
"""A person who has closed it knows: it rings again a day later, if it still is so."""

AT_RISK = """
SELECT h.device_id, d.last_seen_at, d.label, d.app_version, p.name, h.entries, h.pictures,
       h.quarantined, h.oldest_at, h.reported_at,
       EXISTS (SELECT FROM shift_member m WHERE m.person_id = p.id AND m.on_duty) AS shift_open,
       coalesce((SELECT l.channel_id FROM location l WHERE l.id = p.location_id),
                CASE WHEN cardinality(p.channel_ids) = 1 THEN p.channel_ids[1] END) AS channel_id
  FROM sync_health h JOIN device d ON d.id = h.device_id JOIN person p ON p.id = d.person_id
 WHERE (h.oldest_at IS NOT NULL OR h.quarantined > 0) AND d.state <> 'revoked'
 ORDER BY h.device_id
"""

RANG = """
SELECT EXISTS (SELECT FROM problem WHERE kind = $1 AND ref = $2
   AND (closed_at IS NULL OR closed_by IS NOT NULL AND closed_at > $3))
"""

OPEN = (
    "SELECT kind, ref FROM problem WHERE kind = ANY ($1) AND closed_at IS NULL ORDER BY kind, ref"
)


@recurring("flows.find_phones_at_risk", every=600, timeout=120)
async def find_phones_at_risk(_payload: dict[str, Any]) -> None:
    """Open a problem for each phone that may lose work, and close those that are over."""
    moment = now()
    stands: set[tuple[str, str]] = set()
    for row in await db.rows(AT_RISK):
        for kind, why in phone_rules.loses_work(_phone(row), moment).items():
            stands.add((kind, str(row["device_id"])))
            await _open(kind, why, row, moment)
    system = Actor.system("flows.find_phones_at_risk")
    for problem in await db.rows(OPEN, list(KINDS)):
        if (problem["kind"], problem["ref"]) not in stands:
            await helpdesk.close_problems(
                problem["kind"], problem["ref"], "The phone says that it is over.", system
            )


def _phone(row: dict[str, Any]) -> phone_rules.Phone:
    names = ("shift_open", "app_version", "entries", "pictures", "quarantined", "oldest_at")
    return phone_rules.Phone(heard_at=row["last_seen_at"], **{name: row[name] for name in names})


async def _open(kind: str, why: str, row: dict[str, Any], moment: datetime) -> None:
    ref = str(row["device_id"])
    if await db.value(RANG, kind, ref, moment - QUIET):
        return
    detail = f"{why} So it said at {row['reported_at']:%Y-%m-%d %H:%M} UTC ({row['label']})."
    if kind == "captures_waiting":
        await helpdesk.open_problem(
            "captures_waiting",
            f"Work of {row['name']} waits on the phone for more than a day",
            ref=ref,
            detail=detail,
            channel_id=row["channel_id"],
        )
    else:
        await helpdesk.open_problem(
            "captures_quarantined",
            f"The phone of {row['name']} holds captures that do not go through",
            ref=ref,
            detail=detail,
            channel_id=row["channel_id"],
        )
