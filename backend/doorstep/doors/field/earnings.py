"""What a person's own work has earned: line by line, with the rates that hold."""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from litestar import get
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.flows import earnings as flow
from doorstep.modules.earnings.rules import Kind, Reason


class HoldingRate(Struct, kw_only=True):
    """What a kind of work earns now: of one piece, or of one hour."""

    kind: Kind
    channel: str
    amount_minor: int
    currency: str


class OwnLine(Struct, kw_only=True):
    """What a piece of work has earned, or what of it is taken away (less than nothing) and why.

    `words` are those of a desk that has decided; `minutes` of hours only.
    """

    work_id: UUID
    kind: Kind
    n: int
    number: str
    minutes: int | None
    currency: str
    amount_minor: int
    reason: Reason
    words: str
    worked_at: datetime


class EarnedDay(Struct, kw_only=True):
    """A day on the clock of the channel, with its lines in the order of the work."""

    day: date
    lines: list[OwnLine]


class OwnEarnings(Struct, kw_only=True):
    """What was earned since the Monday before the last one. No rates: the office has set none."""

    rates: list[HoldingRate]
    days: list[EarnedDay]


@get(
    "/field/earnings",
    operation_id="readOwnEarnings",
    opt=needs("earnings:line:own"),
    tags=["earnings"],
)
async def read_own_earnings(actor: Actor) -> OwnEarnings:
    """Tell a person what this week and the last have earned, and why each line is there."""
    rates, lines = await flow.own(actor)
    return OwnEarnings(
        rates=[HoldingRate(**rate) for rate in rates],
        days=[
            EarnedDay(
                day=day,
                lines=[
                    OwnLine(**{name: line[name] for name in OwnLine.__struct_fields__})
                    for line in of_day
                ],
            )
            for day, of_day in groupby(lines, key=lambda line: line["worked_on"])
        ],
    )


handlers = [read_own_earnings]
"""The routes of this door."""
