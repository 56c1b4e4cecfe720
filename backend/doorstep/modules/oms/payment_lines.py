"""Payment lines as finance has judged them: state and captured amount of what a customer pays."""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db


async def set_payment_line(
    line_id: UUID, state: str, captured_minor: int, provider_ref: str
) -> None:
    """Set what finance has counted for a payment line; an empty `provider_ref` keeps the known one.

    The caller holds the order's lock.
    """
    await db.execute(
        "UPDATE payment_line SET state = $2, captured_minor = $3,"
        " provider_ref = CASE WHEN $4 = '' THEN provider_ref ELSE $4 END WHERE id = $1",
        line_id,
        state,
        captured_minor,
        provider_ref,
    )
