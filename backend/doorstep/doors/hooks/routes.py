"""POST /hooks/…: Checkout.com, ClickPost and the bank; how a webhook is taken."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
import structlog
from litestar import Request, post
from litestar.params import PathParameter
from prometheus_client import Counter

from doorstep import ports
from doorstep.core import inbox
from doorstep.core.auth.permissions import public
from doorstep.core.errors import Refusal
from doorstep.core.http.problems import BodyTooLarge, problems
from doorstep.core.metrics import REGISTRY
from doorstep.ports import EventUnreadable, Hook

log = structlog.get_logger(__name__)

BODY_LIMIT = 256 * 1024
KEPT_HEADERS = ("content-type", "user-agent", "cko-signature", "x-razorpay-event-id")
"""Kept with the event for support; never a header that is itself a secret."""

NOTHING: Mapping[str, str] = MappingProxyType({})

FORGED = Counter(
    "doorstep_hook_refused_total",
    "Webhooks whose signature or secret was wrong.",
    ("source",),
    registry=REGISTRY,
)

AnyRequest = Request[Any, Any, Any]
Secret = Annotated[str, PathParameter(max_length=200, description="Agreed with the sender.")]


class SignatureNotValid(Refusal):
    """The webhook does not prove that it comes from whom it claims; it was not read."""

    status = 401
    title = "The signature or secret of this webhook is not valid."


class Received(msgspec.Struct):
    """The event is stored; `new` is False for one that had been stored before."""

    new: bool


PROBLEMS = problems(SignatureNotValid, EventUnreadable, BodyTooLarge)


async def receive(
    source: str,
    hook: Hook[Any],
    request: AnyRequest,
    path_secret: str = "",
    *,
    noted: Mapping[str, str] = NOTHING,
) -> Received:
    """Store a genuine event once by its own id, and only then answer; `noted` is kept beside it.

    Raises: SignatureNotValid, EventUnreadable.
    """
    body = await request.body()
    headers: Mapping[str, str] = {name.lower(): text for name, text in request.headers.items()}
    if not hook.genuine(body, headers, path_secret):
        FORGED.labels(source).inc()
        raise SignatureNotValid
    kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
    kept |= noted
    return Received(new=await inbox.receive(source, hook.source_id(body, headers), body, kept))


@post(
    "/hooks/checkout",
    operation_id="receiveCheckoutEvent",
    status_code=200,
    opt={**public(), "exclude_from_csrf": True},
    request_max_body_size=BODY_LIMIT,
    responses=PROBLEMS,
    tags=["hooks"],
)
async def receive_checkout(request: AnyRequest) -> Received:
    """Take a payment event, signed in `Cko-Signature`."""
    return await receive("checkout", ports.checkout(), request)


@post(
    "/hooks/clickpost/{secret:str}",
    operation_id="receiveClickPostScan",
    status_code=200,
    opt={**public(), "exclude_from_csrf": True},
    request_max_body_size=BODY_LIMIT,
    responses=PROBLEMS,
    tags=["hooks"],
)
async def receive_clickpost(request: AnyRequest, secret: Secret) -> Received:
    """Take a carrier's scan, proven by the header `webhook_key` and the path."""
    return await receive("clickpost", ports.clickpost(), request, secret)


@post(
    "/hooks/bank",
    operation_id="receivePayoutEvent",
    status_code=200,
    opt={**public(), "exclude_from_csrf": True},
    request_max_body_size=BODY_LIMIT,
    responses=PROBLEMS,
    tags=["hooks"],
)
async def receive_bank(request: AnyRequest) -> Received:
    """Take a payout's new state, signed in `X-Razorpay-Signature`."""
    return await receive("bank", ports.bank_hook(), request)


ROUTES = [receive_checkout, receive_clickpost, receive_bank]
