"""Phones that have lost what they stored: a desk finds out with their owners what went with it (IC8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.auth.channel import CHANNEL
from doorstep.modules.helpdesk import service as helpdesk

# A device that was signed out has handed everything in before; one that is revoked, nothing.
IN_USE = f"""
SELECT d.id, d.label, d.last_seen_at, p.name, h.entries, h.pictures, h.quarantined, h.reported_at,
       {CHANNEL} AS channel_id
  FROM device d JOIN person p ON p.id = d.person_id LEFT JOIN sync_health h ON h.device_id = d.id
 WHERE d.id = ANY ($1) AND d.state IN ('active', 'locked', 'draining') ORDER BY d.id
"""  # noqa: S608 - constants of this project


async def note_lost(devices: Iterable[UUID]) -> bool:
    """Open a problem for each of these devices that was in use; tell whether there was one."""
    lost = await db.rows(IN_USE, list(devices))
    for row in lost:
        await helpdesk.open_problem(
            "phone_lost_data",
            f"The phone of {row['name']} has lost what it stored",
            ref=str(row["id"]),
            detail=_told(row),
            channel_id=row["channel_id"],
        )
    return bool(lost)


def _told(row: dict[str, Any]) -> str:
    heard = f"It was heard last at {row['last_seen_at']:%Y-%m-%d %H:%M} UTC ({row['label']})."
    if row["reported_at"] is None:
        return f"{heard} It has never said what waited on it."
    return (
        f"{heard} At {row['reported_at']:%Y-%m-%d %H:%M} UTC it said: {row['entries']} captures and"
        f" {row['pictures']} pictures wait, {row['quarantined']} need attention."
    )
