"""What people look like: one portrait of each, kept as a file, gone when its person leaves."""

from __future__ import annotations

from uuid import UUID

import structlog

from doorstep.core import db, outbox
from doorstep.core.auth.errors import NoSuchPerson, PersonHasLeft
from doorstep.core.clock import now

log = structlog.get_logger(__name__)

HOLD = "SELECT active FROM person WHERE id = $1 FOR NO KEY UPDATE"

KEPT = "SELECT sha256 FROM person_portrait WHERE person_id = $1"

SET = """
INSERT INTO person_portrait (person_id, sha256, set_at, set_by) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE SET sha256 = $2, set_at = $3, set_by = $4
"""

DROP = "DELETE FROM person_portrait WHERE person_id = $1 RETURNING sha256"


@db.transactional
async def set_portrait(person_id: UUID, sha256: str, *, by: UUID | None) -> None:
    """Let a stored file be somebody's portrait, and have the one before it deleted.

    Raises: NoSuchPerson, PersonHasLeft.
    """
    await _hold(person_id)
    before = await db.value(KEPT, person_id)
    await db.execute(SET, person_id, sha256, now(), by)
    if before not in (None, sha256):
        await _delete_file(before)
    log.info("access.portrait_set", person_id=str(person_id))


@db.transactional
async def remove_portrait(person_id: UUID) -> None:
    """Take somebody's portrait away, and have its file deleted; without one nothing happens.

    Raises: NoSuchPerson.
    """
    if await db.row(HOLD, person_id) is None:
        raise NoSuchPerson
    await drop_portrait(person_id)


async def check_person(person_id: UUID) -> None:
    """Refuse whoever cannot have a portrait, before one is made.

    Raises: NoSuchPerson, PersonHasLeft.
    """
    _check(await db.row("SELECT active FROM person WHERE id = $1", person_id))


async def drop_portrait(person_id: UUID) -> None:
    """Take a portrait away in the transaction of the caller, who holds the person."""
    before = await db.value(DROP, person_id)
    if before is not None:
        await _delete_file(before)
        log.info("access.portrait_removed", person_id=str(person_id))


async def _hold(person_id: UUID) -> None:
    """Take the person, so that nobody leaves or gets another portrait meanwhile."""
    _check(await db.row(HOLD, person_id))


def _check(person: dict[str, bool] | None) -> None:
    if person is None:
        raise NoSuchPerson
    if not person["active"]:
        raise PersonHasLeft


async def _delete_file(sha256: str) -> None:
    await outbox.add("flows.delete_portrait_file", {"sha256": sha256})
