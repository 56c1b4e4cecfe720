"""How a channel of the company writes: its quiet hours, and what the confirmation of a delivery offers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from typing import Any
from uuid import UUID

from msgspec import Struct

from doorstep.core import clock, db

RULES = """
SELECT c.code AS channel, to_char(coalesce(r.quiet_from, '21:00'), 'HH24:MI') AS quiet_from,
       to_char(coalesce(r.quiet_until, '08:00'), 'HH24:MI') AS quiet_until,
       coalesce(r.ask_feedback, true) AS ask_feedback,
       coalesce(r.coupon_code, '') AS coupon_code, coalesce(r.review_url, '') AS review_url,
       coalesce(r.support_phone, '') AS support_phone
  FROM channel c LEFT JOIN message_rule r ON r.channel_id = c.id
 WHERE $1::uuid[] IS NULL OR c.id = ANY ($1) ORDER BY c.code
"""

SAVE = """
INSERT INTO message_rule (channel_id, quiet_from, quiet_until, ask_feedback, coupon_code, review_url,
                          support_phone, set_by, set_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (channel_id) DO UPDATE
   SET quiet_from = excluded.quiet_from, quiet_until = excluded.quiet_until,
       ask_feedback = excluded.ask_feedback, coupon_code = excluded.coupon_code,
       review_url = excluded.review_url, support_phone = excluded.support_phone,
       set_by = excluded.set_by, set_at = excluded.set_at
"""


class ChannelRule(Struct, frozen=True, kw_only=True):
    """Quiet hours on the clock of the channel's zone (equal times: none); empty words are not said."""

    quiet_from: time
    quiet_until: time
    ask_feedback: bool
    coupon_code: str
    review_url: str
    support_phone: str


async def save_rule(channel_id: UUID, rule: ChannelRule, set_by: UUID | None) -> None:
    """Let a channel write so from the next message on."""
    await db.execute(
        SAVE, channel_id, rule.quiet_from, rule.quiet_until, rule.ask_feedback, rule.coupon_code,
        rule.review_url, rule.support_phone, set_by, clock.now(),
    )  # fmt: skip


async def rules_of(channel_ids: Sequence[UUID] | None) -> list[dict[str, Any]]:
    """Read the rules of these channels, or of all."""
    return await db.rows(RULES, None if channel_ids is None else list(channel_ids))
