"""Who wants to be written to: kept as history, the newest of an address holds, honoured at once."""

from __future__ import annotations

from uuid import UUID

from doorstep.core import clock, db
from doorstep.core.ids import uuid7
from doorstep.modules.messages import sql
from doorstep.modules.messages.service import chains
from doorstep.modules.messages.service.writing import preference_address


async def wants(channel: str, address: str) -> bool:
    """Tell whether somebody may be written to there; locks the address until the transaction ends."""
    key = preference_address(channel, address)
    await db.value(sql.LOCK_ADDRESS, channel, key)
    found = await db.row(sql.NEWEST_PREFERENCE, channel, key)
    return found is None or bool(found["wanted"])


@db.transactional
async def set_preference(
    channel: str,
    address: str,
    *,
    wanted: bool,
    why: str,
    detail: str = "",
    set_by: UUID | None = None,
) -> bool:
    """Write to an address from now on, or no more; tell whether that is a change.

    What waits for an address that is not wanted any more is skipped, and its chain goes on. `why` is
    stop, start, page, desk, complaint, hard_bounce or provider.
    """
    key = preference_address(channel, address)
    await db.value(sql.LOCK_ADDRESS, channel, key)
    newest = await db.row(sql.NEWEST_PREFERENCE, channel, key)
    if (newest is None and wanted) or (newest is not None and newest["wanted"] == wanted):
        return False
    n = newest["n"] + 1 if newest else 1
    await db.execute(
        sql.KEEP_PREFERENCE,
        uuid7(), channel, key, n, wanted, why, detail[:500], set_by, clock.offset(),
    )  # fmt: skip
    if not wanted:
        for row in await db.rows(sql.WAITING_AT, channel, key):
            await _skip(row["id"])
    return True


async def _skip(message_id: UUID) -> None:
    locked = await chains.lock(message_id)
    if locked is None or locked.message["state"] != "queued":
        return
    why = "The reader has opted out."
    await chains.end(locked, "skipped", why)
    if not await chains.use_next(locked):
        await chains.close_behind(locked, why)
