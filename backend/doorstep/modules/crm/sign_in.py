"""Signing in by an order's link: a code to the order's phone, and the session that it opens.

Codes and sessions are stored as hashes, and end with their link (reliability §5.4).
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.auth.tokens import hash_of, keyed_code, session_by_code
from doorstep.core.clock import now
from doorstep.core.errors import Invalid
from doorstep.modules.crm import sql

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=10)
SESSION_LIFE = timedelta(hours=24)
MAX_TRIES = 5
MOST_A_DAY = 10
"""Codes of one order in 24 hours: fifty guesses of a million, and no flood on anybody's phone."""

SAME_TAP = timedelta(seconds=30)
"""So long the same answer once more is the same tap twice, or one whose answer was lost."""


class SignInCodeWrong(Invalid):
    """Wrong, over, used, tried too often, or never sent: nobody is told which."""

    title = "This code is not right, or its time is over. Please ask for a new one."


class NewCode(NamedTuple):
    """A code to be sent, and the how many-th of its order it is."""

    code: str
    n: int


async def issue_code(order_id: UUID, token_hash: bytes) -> NewCode | None:
    """Make the code that from now on opens this link, in the caller's transaction.

    None when the order has had its share of codes for the day.
    """
    # One after another: the number of a code is that of its message too.
    await db.rows(sql.LOCK_LINKS, order_id)
    known = await db.one(sql.CODES_OF_ORDER, order_id, now() - timedelta(days=1), token_hash)
    if known["of_the_day"] >= MOST_A_DAY:
        return None
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    n: int = known["last"] + 1
    hashed = keyed_code(code, token_hash, n.to_bytes(2))
    moment = now()
    await db.execute(sql.KEEP_CODE, order_id, n, token_hash, hashed, moment, moment + CODE_LIFE)
    return NewCode(code, n)


async def sign_in(token_hash: bytes, typed: str) -> str:
    """Open a session with the newest code of a link; return its token, which is kept nowhere.

    Typed twice at once the same code is the same session. A wrong one uses up a try.

    Raises: SignInCodeWrong.
    """
    token = await _try(token_hash, typed)
    # Outside of the transaction: the try that was used up stays so.
    if token is None:
        raise SignInCodeWrong
    return token


@db.transactional
async def _try(token_hash: bytes, typed: str) -> str | None:
    moment = now()
    kept = await db.row(sql.NEWEST_CODE, token_hash, moment)
    if kept is None or kept["failed_tries"] >= MAX_TRIES:
        return None
    bound = token_hash, int(kept["n"]).to_bytes(2)
    if not hmac.compare_digest(keyed_code(typed, *bound), kept["code_hash"]):
        await db.execute(sql.COUNT_TRY, kept["order_id"], kept["n"])
        return None
    if kept["used_at"] is not None and moment > kept["used_at"] + SAME_TAP:
        return None
    token = session_by_code(typed, *bound)
    await db.execute(
        sql.OPEN_SESSION,
        hash_of(token),
        token_hash,
        kept["order_id"],
        kept["n"],
        moment,
        moment + SESSION_LIFE,
    )
    return token


@db.transactional
async def sign_out(token_hash: bytes, session_token: str) -> None:
    """End a session of a link; one that there is not stays so."""
    await db.execute(sql.END_SESSION, hash_of(session_token), token_hash, now())
