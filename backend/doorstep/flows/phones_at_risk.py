"""Phones that may cost what was done: a desk hears of each, until the phone says that it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.channel import CHANNEL
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.flows import phone_rules
from doorstep.flows.phone_work import WORK
from doorstep.modules.helpdesk import service as helpdesk

KINDS = {
    "captures_waiting": "Work of {name} waits on the phone for more than a day",
    "captures_quarantined": "The phone of {name} holds captures that do not go through",
}
"""Kinds of problems that are opened here, and their titles."""

QUIET = timedelta(hours=24)
"""A person who has closed it knows: it rings again a day later, if it still is so."""

AT_RISK = f"""
SELECT h.device_id, d.last_seen_at, d.label, d.app_version, p.name, h.entries, h.pictures,
       h.quarantined, h.oldest_at, h.reported_at, work.what AS work, work.since AS work_since,
       {CHANNEL} AS channel_id
  FROM sync_health h JOIN device d ON d.id = h.device_id JOIN person p ON p.id = d.person_id
  {WORK.format(moment="$1")}
 WHERE (h.oldest_at IS NOT NULL OR h.quarantined > 0) AND d.state <> 'revoked'
 ORDER BY h.device_id
"""  # noqa: S608 - constants of this project

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
    for row in await db.rows(AT_RISK, moment):
        phone = _phone(row)
        # What rang goes on when the working day is over: only the phone says that it is in.
        still = phone_rules.loses_work(replace(phone, work=phone.work or "active"), moment)
        stands |= {(kind, str(row["device_id"])) for kind in still}
        for kind, why in phone_rules.loses_work(phone, moment).items():
            await _open(kind, why, row, moment)
    system = Actor.system("flows.find_phones_at_risk")
    for problem in await db.rows(OPEN, list(KINDS)):
        if (problem["kind"], problem["ref"]) not in stands:
            await helpdesk.close_problems(
                problem["kind"], problem["ref"], "The phone says that it is over.", system
            )


def _phone(row: dict[str, Any]) -> phone_rules.Phone:
    names = (
        "work", "work_since", "app_version", "entries", "pictures", "quarantined", "oldest_at",
    )  # fmt: skip
    return phone_rules.Phone(heard_at=row["last_seen_at"], **{name: row[name] for name in names})


async def _open(kind: str, why: str, row: dict[str, Any], moment: datetime) -> None:
    ref = str(row["device_id"])
    if await db.value(RANG, kind, ref, moment - QUIET):
        return
    detail = f"{why} So it said at {row['reported_at']:%Y-%m-%d %H:%M} UTC ({row['label']})."
    title = KINDS[kind].format(name=row["name"])
    await helpdesk.open_problem(kind, title, ref=ref, detail=detail, channel_id=row["channel_id"])
