"""The floor and the road: boxes that are damaged, and boxes that are not there."""

from __future__ import annotations

from uuid import UUID

from litestar import post
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.flows import piece_reports
from doorstep.modules.tms.schemas import PieceReport


class PieceReportOut(Struct):
    """The report is kept; `duplicate` when it had been before."""

    event_id: UUID
    verdict: str


@post(
    "/field/piece-reports",
    operation_id="reportPieces",
    opt=needs("tms:piece:report"),
    status_code=200,
    responses=problems(EventIdReused),
    tags=["transport"],
)
async def report_pieces(data: PieceReport, actor: Actor) -> PieceReportOut:
    """Report boxes as damaged or missing, with pictures that are uploaded on their own.

    It is kept whatever it names. A job then opens `carrier_damaged` or `carrier_lost` for each
    parcel; what is missing before its pickup, and a label that nobody knows, is a desk's problem.
    """
    new = await piece_reports.report(data, actor=actor)
    return PieceReportOut(data.event_id, "applied" if new else "duplicate")


handlers = [report_pieces]
"""The routes of this door."""
