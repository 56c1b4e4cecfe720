"""Follow an order, answer a date, rate a parcel, fetch and check a certificate: the link is the key."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter

from doorstep.core import blobs, db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import public
from doorstep.core.clock import now
from doorstep.core.http.problems import problems
from doorstep.core.http.ready import Ready
from doorstep.core.limits import TooManyRequests
from doorstep.core.logging import REQUEST_ID
from doorstep.doors.track import sql
from doorstep.doors.track.links import LinkNotValid, count_miss, counted
from doorstep.doors.track.reading import read
from doorstep.doors.track.schemas import (
    AcceptDate,
    AnswerTaken,
    CancelGoods,
    FeedbackTaken,
    GiveFeedback,
    Tracking,
)
from doorstep.flows import care, expected_dates
from doorstep.flows.cancel import NothingToCancel
from doorstep.journey.refusals import DateNotOffered, StageAlreadyDone, StageTooEarly
from doorstep.modules.crm import service as crm
from doorstep.modules.crm.rules import NothingWasInstalled

Token = Annotated[str, PathParameter()]
Language = Annotated[Literal["en", "hi", "ar"] | None, QueryParameter(name="lang")]
TAGS = ["track"]

# Links must not end up in search engines or in a shared cache; pages repeat the ETag themselves.
PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
SENT_WITH = [(name.lower().encode(), value.encode()) for name, value in PRIVATE.items()]

SHOWN = {
    200: ResponseSpec(Tracking, generate_examples=False, description="How far the order is."),
    304: ResponseSpec(None, description="Nothing is new: the page has this answer already."),
}


@get(
    "/track/{token:str}",
    operation_id="trackOrder",
    opt=public(),
    responses=SHOWN | problems(LinkNotValid, TooManyRequests),
    tags=TAGS,
)
async def track_order(
    request: Request[Any, Any, Any], token: Token, lang: Language = None
) -> Ready:
    """Show an order's parcels and how far each is; 304 when the page has this answer already."""
    token_hash = await counted(token)
    found = await read(token_hash, lang, request.headers.get("if-none-match", ""))
    if found is None:
        await count_miss(request)
        raise LinkNotValid
    return Ready([*SENT_WITH, (b"etag", found.etag.encode())], found.body)


@post(
    "/track/{token:str}/feedback",
    operation_id="giveFeedback",
    status_code=200,
    opt=public(),
    responses=problems(
        LinkNotValid,
        TooManyRequests,
        StageTooEarly,
        StageAlreadyDone,
        NothingWasInstalled,
        crm.FeedbackAlreadyGiven,
    ),
    tags=TAGS,
)
async def give_feedback(
    request: Request[Any, Any, Any], token: Token, data: JSONBody[GiveFeedback]
) -> FeedbackTaken:
    """Rate one parcel of the order, once (1016)."""
    parcel_id, customer = await _own_parcel(request, token, data.parcel)
    answer = await care.give_feedback(
        parcel_id,
        crm.Feedback(
            event_id=data.event_id,
            delivery_rating=data.delivery_rating,
            installation_rating=data.installation_rating,
            words=data.words,
        ),
        actor=customer,
    )
    return FeedbackTaken(verdict=answer.verdict.value, progress=answer.progress)


@post(
    "/track/{token:str}/date",
    operation_id="acceptDate",
    status_code=200,
    opt=public(),
    responses=problems(LinkNotValid, TooManyRequests, DateNotOffered, expected_dates.GoodsNotShort),
    tags=TAGS,
)
async def accept_date(
    request: Request[Any, Any, Any], token: Token, data: JSONBody[AcceptDate]
) -> AnswerTaken:
    """Say yes to the date by which short goods are expected; they go on waiting."""
    parcel_id, customer = await _own_parcel(request, token, data.parcel)
    answer = await expected_dates.accept_date(
        data.event_id, parcel_id, data.expected_on, actor=customer
    )
    return AnswerTaken(verdict=answer.verdict.value)


@post(
    "/track/{token:str}/cancel",
    operation_id="cancelShortGoods",
    status_code=200,
    opt=public(),
    responses=problems(
        LinkNotValid, TooManyRequests, expected_dates.GoodsNotShort, NothingToCancel
    ),
    tags=TAGS,
)
async def cancel_short_goods(
    request: Request[Any, Any, Any], token: Token, data: JSONBody[CancelGoods]
) -> AnswerTaken:
    """Cancel a parcel whose goods are short; what is paid for them is owed back."""
    parcel_id, customer = await _own_parcel(request, token, data.parcel)
    answer = await expected_dates.cancel_short(data.event_id, parcel_id, actor=customer)
    return AnswerTaken(verdict=answer.verdict.value)


@get(
    "/track/{token:str}/certificate/{number:str}",
    operation_id="readCertificate",
    opt=public(),
    media_type="application/pdf",
    responses=problems(LinkNotValid, TooManyRequests, crm.CertificateMissing),
    tags=TAGS,
)
async def read_certificate(
    request: Request[Any, Any, Any], token: Token, number: Token
) -> Response[bytes]:
    """Hand out a warranty certificate of the order as PDF."""
    token_hash = await counted(token)
    found = await _behind(request, sql.CERTIFICATE, token_hash, number)
    if found["certificate_sha256"] is None:
        raise crm.CertificateMissing
    paper = await blobs.get(found["certificate_sha256"])
    return Response(
        paper,
        media_type="application/pdf",
        # The number is one of ours here: it was found.
        headers=PRIVATE | {"Content-Disposition": f'inline; filename="{number}.pdf"'},
    )


async def _behind(
    request: Request[Any, Any, Any], statement: str, token_hash: bytes, wanted: object
) -> dict[str, Any]:
    found = await db.row(statement, token_hash, now(), wanted)
    if found is None:
        await count_miss(request)
        raise LinkNotValid
    return found


async def _own_parcel(
    request: Request[Any, Any, Any], token: str, parcel: int
) -> tuple[UUID, Actor]:
    """Find a parcel of the link's order, and the customer who holds the link."""
    found = await _behind(request, sql.PARCEL, await counted(token), parcel)
    if found["fulfilment_id"] is None:
        raise LinkNotValid
    customer = Actor(
        role="customer",
        source="person",
        order_id=found["order_id"],
        request_id=REQUEST_ID.get(),
    )
    return found["fulfilment_id"], customer


handlers = [
    track_order,
    give_feedback,
    accept_date,
    cancel_short_goods,
    read_certificate,
]
