"""Handover codes: one per attempt, told to the customer, kept only as a keyed hash."""

from __future__ import annotations

import hmac
from typing import NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.modules.tms import rules
from doorstep.settings import settings

MOST_AGAIN = 3
"""How often a customer may have the code of one attempt sent once more."""


class CodeCheck(NamedTuple):
    """Whether a code opens this attempt, whether one was issued at all, and guesses left."""

    ok: bool
    issued: bool
    tries_left: int


@db.transactional
async def issue_code(order_id: UUID, fulfilment_id: UUID, attempt: int) -> str | None:
    """Make the code of this attempt and return it in plain; None when it was issued before.

    The codes of earlier attempts open nothing, because a code is only asked of its own attempt.
    """
    code = rules.make_code(fulfilment_id, attempt, settings().secret_key)
    issued = await db.execute(
        "INSERT INTO handover_code (fulfilment_id, attempt, order_id, code_hash, issued_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        fulfilment_id,
        attempt,
        order_id,
        rules.hash_code(code, fulfilment_id, attempt, settings().secret_key),
        now(),
    )
    return code if issued else None


def read_code(fulfilment_id: UUID, attempt: int, code_hash: bytes) -> str | None:
    """Give the code that a hash was kept of; None where another key made it."""
    code = rules.make_code(fulfilment_id, attempt, settings().secret_key)
    made = rules.hash_code(code, fulfilment_id, attempt, settings().secret_key)
    return code if hmac.compare_digest(made, code_hash) else None


class CodeAgain(NamedTuple):
    """The code of an attempt, to be told once more, and the how many-th time that is."""

    code: str
    time: int


async def code_again(fulfilment_id: UUID, attempt: int) -> CodeAgain | None:
    """Have the code of this attempt told once more, in the caller's transaction; tries begin anew.

    None when there is none, or it was told often enough.
    """
    code = rules.make_code(fulfilment_id, attempt, settings().secret_key)
    # The hash is written anew: the code may be of a key that was changed since.
    time: int | None = await db.value(
        "UPDATE handover_code SET sent_again = sent_again + 1, code_hash = $3, failed_tries = 0"
        " WHERE fulfilment_id = $1 AND attempt = $2 AND sent_again < $4 RETURNING sent_again",
        fulfilment_id,
        attempt,
        rules.hash_code(code, fulfilment_id, attempt, settings().secret_key),
        MOST_AGAIN,
    )
    return None if time is None else CodeAgain(code, time)


@db.transactional
async def check_code(fulfilment_id: UUID, attempt: int, said: str) -> CodeCheck:
    """Compare a code that the customer said; a wrong one uses up one of five tries."""
    kept = await db.row(
        "SELECT code_hash, failed_tries FROM handover_code"
        " WHERE fulfilment_id = $1 AND attempt = $2 FOR UPDATE",
        fulfilment_id,
        attempt,
    )
    if kept is None:
        return CodeCheck(False, False, 0)
    left = rules.MAX_CODE_TRIES - kept["failed_tries"]
    if left == 0:
        return CodeCheck(False, True, 0)
    guess = rules.hash_code(said, fulfilment_id, attempt, settings().secret_key)
    if hmac.compare_digest(guess, kept["code_hash"]):
        return CodeCheck(True, True, left)
    await db.execute(
        "UPDATE handover_code SET failed_tries = failed_tries + 1"
        " WHERE fulfilment_id = $1 AND attempt = $2",
        fulfilment_id,
        attempt,
    )
    return CodeCheck(False, True, left - 1)
