"""Links that are sent anew: of an order to its customer, of a warranty to its new owner.

The ones before stay as they are: whoever asks need not be the one who is written to.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.modules.crm import rules, sql

APART = timedelta(minutes=10)
"""So long nobody gets a second one: a message takes its time."""

MOST_A_DAY = 3
"""New links of one reader in 24 hours: nobody's phone is flooded by whoever has seen a certificate."""

AFTER_THE_END = timedelta(days=30)


class NewLink(NamedTuple):
    """The secret of a link, which is kept nowhere, and the how many-th of its order it is."""

    token: str
    n: int


async def renew(order_id: UUID, owner_n: int, until: datetime) -> NewLink | None:
    """Make one more link for the customer of an order (0) or a new owner; the caller holds the order.

    None when one was made a moment ago, or enough of them today.
    """
    moment = now()
    made = await db.one(sql.LINKS_OF, order_id, owner_n, moment - APART, moment - timedelta(days=1))
    if made["just_now"] or made["of_the_day"] >= MOST_A_DAY:
        return None
    return await _keep(order_id, owner_n, made["made"] + 1, until)


async def first(order_id: UUID, owner_n: int, until: datetime) -> NewLink | None:
    """Make the first link of a new owner; None if he has one. The caller holds the order."""
    moment = now()
    made = await db.one(sql.LINKS_OF, order_id, owner_n, moment, moment)
    if made["own"]:
        return None
    return await _keep(order_id, owner_n, made["made"] + 1, until)


async def _keep(order_id: UUID, owner_n: int, n: int, until: datetime) -> NewLink:
    token, token_hash = rules.new_token()
    await db.execute(sql.KEEP_LINK, token_hash, order_id, owner_n, now(), until)
    return NewLink(token, n)


def end_of_owners_link(ends_on: date) -> datetime:
    """Tell when the link of a new owner ends: some time after his warranty, which is all it opens."""
    return datetime.combine(ends_on, time.max, UTC) + AFTER_THE_END
