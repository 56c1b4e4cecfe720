"""Who wants to be written to: kept as history, the newest of an address holds, honoured at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from doorstep.core import clock, db
from doorstep.core.errors import Invalid
from doorstep.core.ids import uuid7
from doorstep.modules.messages import sql
from doorstep.modules.messages.rules import Channel
from doorstep.modules.messages.service import chains
from doorstep.modules.messages.service.writing import preference_address

HISTORY = """
SELECT c.channel, c.wanted, c.why, c.detail, c.set_at, p.name AS set_by
  FROM contact_preference c LEFT JOIN person p ON p.id = c.set_by
 WHERE c.address = ANY ($1) ORDER BY c.n DESC, c.set_at DESC LIMIT 200
"""

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class AddressNotValid(Invalid):
    """The address is none of this channel: nobody would ever be found by it."""

    title = "This is not an address of that channel."


def is_address(channel: str, address: str) -> bool:
    """Tell whether somebody could be written to there: a whole number, or an e-mail address."""
    return bool((EMAIL if channel == "email" else PHONE).fullmatch(address))


async def history(address: str) -> list[dict[str, Any]]:
    """List what was said of an address on every channel, newest first."""
    return await db.rows(HISTORY, sorted({address, address.lower()}))


async def refused(ways: Sequence[tuple[Channel, str]]) -> set[Channel]:
    """Tell on which of these channels its address is not to be written to; locks nothing."""
    rows = await db.rows(
        sql.REFUSED,
        [channel for channel, _ in ways],
        [preference_address(channel, address) for channel, address in ways],
    )
    return {row["channel"] for row in rows}


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

    Raises: AddressNotValid.
    """
    if not is_address(channel, address):
        raise AddressNotValid
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
