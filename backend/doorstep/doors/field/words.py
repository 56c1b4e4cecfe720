"""What a field worker says beside the flows of his jobs: a note, a problem, what was wrong before."""

from __future__ import annotations

from uuid import UUID

from litestar import post
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.flows import field_words
from doorstep.modules.helpdesk.refusals import CaptureToAmendMissing, JobMissing
from doorstep.modules.helpdesk.schemas import Amendment, Note, ProblemReport

TAGS = ["helpdesk"]


class WordOut(Struct):
    """The word is kept; `reason` says what there is to know about that."""

    event_id: UUID
    verdict: str
    reason: str


@post(
    "/field/notes",
    operation_id="addNote",
    opt=needs("helpdesk:word:write"),
    status_code=200,
    responses=problems(JobMissing, EventIdReused),
    tags=TAGS,
)
async def add_note(data: Note, actor: Actor) -> WordOut:
    """Leave a note on a job of one's own; it stands in the history of its order."""
    await field_words.add_note(data, actor=actor)
    return WordOut(data.event_id, "applied", "")


@post(
    "/field/problems",
    operation_id="reportProblem",
    opt=needs("helpdesk:word:write"),
    status_code=200,
    responses=problems(JobMissing, EventIdReused),
    tags=TAGS,
)
async def report_problem(data: ProblemReport, actor: Actor) -> WordOut:
    """Ask the office to help, on a job of one's own or on none; a desk gets the task."""
    await field_words.report_problem(data, actor=actor)
    return WordOut(data.event_id, "applied", "")


@post(
    "/field/amendments",
    operation_id="amendCapture",
    opt=needs("helpdesk:word:write"),
    status_code=200,
    responses=problems(CaptureToAmendMissing, EventIdReused),
    tags=TAGS,
)
async def amend_capture(data: Amendment, actor: Actor) -> WordOut:
    """Say what was wrong with an earlier capture of one's own; that one stays as it is."""
    await field_words.amend(data, actor=actor)
    return WordOut(data.event_id, "applied", "")


handlers = [add_note, report_problem, amend_capture]
"""The routes of this door."""
