"""Finance: the rates of work in the field, what each person has earned, and the export of it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.http.problems import problems
from doorstep.core.money import format_minor
from doorstep.doors.once import REFUSALS, OptionalKey, once
from doorstep.flows import earnings as flow
from doorstep.flows import extras
from doorstep.modules.earnings import service
from doorstep.modules.earnings.refusals import PeriodTooLong, RateBeginsTooEarly, WorkMissing
from doorstep.modules.earnings.rules import Kind, Reason
from doorstep.modules.earnings.schemas import DecisionIn, RateIn

TAGS = ["earnings"]
READ = needs("earnings:line:read")
LONGEST = timedelta(days=92)
CSV = "text/csv; charset=utf-8"

First = Annotated[date, QueryParameter(name="from", description="The first day.")]
Last = Annotated[date, QueryParameter(name="to", description="The last day, at most 92 later.")]


class RateOut(Struct, kw_only=True):
    """A version of a rate: what one piece of work, or one hour, earns from a moment on."""

    id: UUID
    channel_id: UUID
    kind: Kind
    version: int
    amount_minor: int
    currency: str
    valid_from: datetime
    reason: str
    set_by: UUID | None
    set_at: datetime


class RateSet(Struct):
    """The version that was written, or the one before where it says the same."""

    id: UUID


class EarnedSum(Struct, kw_only=True):
    """What a person has earned in the period, and by how many pieces of work."""

    person_id: UUID
    person: str
    role: str
    currency: str
    amount_minor: int
    pieces: int


class EarnedLine(Struct, kw_only=True):
    """A line, or a counter-line (less than nothing), with why it is there.

    `work_id` with `kind` names the work; of its lines `n` is the number. `words`: a desk's.
    """

    work_id: UUID
    kind: Kind
    n: int
    person_id: UUID
    person: str
    role: str
    channel: str
    number: str
    minutes: int | None
    currency: str
    amount_minor: int
    reason: Reason
    words: str
    rate_version: int
    worked_at: datetime
    worked_on: date
    made_at: datetime


class DecisionKept(Struct):
    """The word is on record, and what follows from it."""

    event_id: UUID


@get(
    "/console/earning-rates",
    operation_id="listEarningRates",
    opt=needs("earnings:rate:read"),
    tags=TAGS,
)
async def list_rates(actor: Actor) -> list[RateOut]:
    """List the rates of one's channels in all versions, the newest of each kind first."""
    return msgspec.convert(await service.versions(await extras.channels_of(actor)), list[RateOut])


@post(
    "/console/earning-rates",
    operation_id="setEarningRate",
    opt=needs("earnings:rate:write"),
    responses=problems(NotFound, RateBeginsTooEarly, *REFUSALS),
    tags=TAGS,
)
async def set_rate(
    request: Request[Any, Any, Any], data: RateIn, actor: Actor, key: OptionalKey = None
) -> Response[RateSet]:
    """Set what a kind of work earns from a moment on; what was earned before stays as it is."""

    async def create() -> RateSet:
        return RateSet(await flow.set_rate(data, actor=actor))

    return await once(request, actor, key, create)


@get(
    "/console/earnings",
    operation_id="listEarnings",
    opt=READ,
    responses=problems(PeriodTooLong),
    tags=TAGS,
)
async def list_earnings(first: First, last: Last, actor: Actor) -> list[EarnedSum]:
    """Tell what each person has earned on these days of the channel."""
    _require_usable(first, last)
    return msgspec.convert(await service.sums(first, last, actor=actor), list[EarnedSum])


@get(
    "/console/earnings/lines",
    operation_id="listEarningLines",
    opt=READ,
    responses=problems(PeriodTooLong),
    tags=TAGS,
)
async def list_lines(person_id: UUID, first: First, last: Last, actor: Actor) -> list[EarnedLine]:
    """List line by line what a person has earned on these days."""
    _require_usable(first, last)
    found = await service.lines(first, last, person_id, actor=actor)
    return msgspec.convert(found, list[EarnedLine])


@get(
    "/console/earnings/export",
    operation_id="exportEarnings",
    opt=READ,
    responses=problems(PeriodTooLong)
    | {200: ResponseSpec(bytes, media_type="text/csv", description="The lines, with their names.")},
    tags=TAGS,
)
async def export_earnings(first: First, last: Last, actor: Actor) -> Stream:
    """Export the lines of these days as CSV (UTF-8), day by day and person by person."""
    _require_usable(first, last)
    return Stream(
        _csv(first, last, actor),
        media_type=CSV,
        headers={
            "Content-Disposition": f'attachment; filename="earnings-{first}-{last}.csv"',
            "Cache-Control": "private, no-store",
        },
    )


COLUMNS = (
    "worked_on", "worked_at", "person", "role", "channel", "kind", "number", "minutes", "amount",
    "currency", "reason", "words", "rate_version", "person_id", "work_id", "n",
)  # fmt: skip


async def _csv(first: date, last: date, actor: Actor) -> AsyncIterator[bytes]:
    # With its mark spreadsheets read it as UTF-8.
    yield b"\xef\xbb\xbf" + _written([COLUMNS])
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        found = await service.lines(day, day, None, actor=actor)
        if found:
            yield _written(_row(line) for line in found)


def _row(line: Mapping[str, Any]) -> list[str]:
    told = {
        **line,
        "amount": format_minor(line["amount_minor"], line["currency"]),
        "worked_at": line["worked_at"].isoformat(timespec="seconds"),
    }
    return [_cell(name, told[name]) for name in COLUMNS]


def _cell(name: str, value: Any) -> str:
    """Write a cell; what a person has typed is no formula of a spreadsheet."""
    text = "" if value is None else str(value)
    typed = name in ("person", "words", "number", "channel")
    return f"'{text}" if typed and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _written(rows: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


@post(
    "/console/earnings/decisions",
    operation_id="decideEarning",
    opt=needs("earnings:line:decide"),
    status_code=200,
    responses=problems(WorkMissing, EventIdReused),
    tags=TAGS,
)
async def decide(data: DecisionIn, actor: Actor) -> DecisionKept:
    """Let a piece of work earn, or not, on a desk's word: amended away, or counting all the same.

    What stands is taken back by a counter-line, or given; whoever did the work reads the reason.
    """
    await flow.decide(data, actor=actor)
    return DecisionKept(data.event_id)


def _require_usable(first: date, last: date) -> None:
    if not timedelta() <= last - first <= LONGEST:
        raise PeriodTooLong


handlers = [list_rates, set_rate, list_earnings, list_lines, export_earnings, decide]
"""The routes of this door."""
