"""A warranty goes to a new owner, who confirms with a code that was sent to his phone."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.auth.tokens import keyed_code
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, Refusal
from doorstep.modules.crm.sign_in import CODE_DIGITS, MAX_TRIES

CODE_LIFE = timedelta(hours=1)
"""So long the new owner has to tell the code to the one who stands before the page."""

MOST_A_DAY = 5
"""Codes of one order in 24 hours: nobody's phone is flooded by a stranger."""

COUNTED = """
SELECT coalesce(max(n), 0)::int AS last,
       (count(*) FILTER (WHERE asked_at > $2))::int AS of_the_day
  FROM warranty_transfer WHERE order_id = $1
"""

KEEP = """
INSERT INTO warranty_transfer (order_id, n, warranty_id, name, phone, code_hash, asked_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

# A newer code takes the place of an older one.
NEWEST = """
SELECT t.order_id, t.n, t.code_hash, t.failed_tries, t.expires_at, t.confirmed_at
  FROM warranty_transfer t WHERE t.warranty_id = $1 ORDER BY t.n DESC LIMIT 1 FOR UPDATE
"""

# The code that has just given a warranty away, for whoever sends it again.
CONFIRMED = """
SELECT t.order_id, t.n, t.code_hash
  FROM warranty_transfer t JOIN warranty w ON w.id = t.warranty_id AND w.owner_n = t.n
 WHERE w.fulfilment_id = $1 AND w.number = $2 AND t.confirmed_at IS NOT NULL AND t.expires_at > $3
"""

CONFIRM = """
WITH given AS (
  UPDATE warranty_transfer SET confirmed_at = $3 WHERE order_id = $1 AND n = $2
  RETURNING warranty_id)
UPDATE warranty w SET owner_n = $2 FROM given WHERE w.id = given.warranty_id
"""

REPRINT = """
UPDATE warranty SET certificate_sha256 = $3, certificate_at = $4
 WHERE id = $1 AND owner_n = $2 AND state = 'active'
"""


class TooManyTransfers(Refusal):
    """Enough codes were sent for this order today."""

    title = "Enough codes were sent for today. Please try again tomorrow."


class TransferCodeWrong(Invalid):
    """Wrong, over, used, or tried too often: nobody is told which."""

    title = "This code is not right, or its time is over."


class Asked(NamedTuple):
    """A code for a new owner, and the how many-th transfer of the order it would make."""

    code: str
    n: int


async def ask(order_id: UUID, warranty_id: UUID, name: str, phone: str) -> Asked:
    """Keep who shall have a warranty, and make the code that confirms it; the caller holds the order.

    `phone` in E.164. Raises: TooManyTransfers.
    """
    counted = await db.one(COUNTED, order_id, now() - timedelta(days=1))
    if counted["of_the_day"] >= MOST_A_DAY:
        raise TooManyTransfers
    asked = Asked(f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}", counted["last"] + 1)
    hashed = keyed_code(asked.code, *_bound(order_id, asked.n))
    moment = now()
    until = moment + CODE_LIFE
    await db.execute(KEEP, order_id, asked.n, warranty_id, name, phone, hashed, moment, until)
    return asked


async def try_code(warranty_id: UUID, typed: str) -> int | None:
    """Make the newest transfer of a warranty true if the code is right, and return its number.

    None for a wrong one, which uses up a try: the caller lets that stand.
    """
    kept = await db.row(NEWEST, warranty_id)
    if kept is None or kept["confirmed_at"] is not None or kept["expires_at"] <= now():
        return None
    if kept["failed_tries"] >= MAX_TRIES:
        return None
    order_id, n = kept["order_id"], int(kept["n"])
    if not _is_right(typed, kept):
        await db.execute(
            "UPDATE warranty_transfer SET failed_tries = failed_tries + 1"
            " WHERE order_id = $1 AND n = $2",
            order_id,
            n,
        )
        return None
    await db.execute(CONFIRM, order_id, n, now())
    return n


async def was_confirmed(fulfilment_id: UUID, number: str, typed: str) -> bool:
    """Tell whether this very code has given the warranty away within its hour: it was sent again."""
    kept = await db.row(CONFIRMED, fulfilment_id, number, now())
    return kept is not None and _is_right(typed, kept)


def _is_right(typed: str, kept: dict[str, Any]) -> bool:
    hashed = keyed_code(typed, *_bound(kept["order_id"], int(kept["n"])))
    return hmac.compare_digest(hashed, kept["code_hash"])


def _bound(order_id: UUID, n: int) -> tuple[bytes, ...]:
    return b"warranty", order_id.bytes, n.to_bytes(2)


async def hand_over(warranty_id: UUID, n: int, sha256: str) -> bool:
    """Let an owner's certificate take the place of the old paper; False if it is not his any more."""
    return bool(await db.execute(REPRINT, warranty_id, n, sha256, now()))
