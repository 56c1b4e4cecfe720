"""/hooks/whatsapp, /hooks/twilio, /hooks/msg91 and /hooks/email: what becomes of messages, and replies."""

from __future__ import annotations

import hmac
from typing import Annotated
from uuid import UUID

from litestar import MediaType, get, post
from litestar.params import QueryParameter

from doorstep import ports
from doorstep.core.auth.permissions import public
from doorstep.core.http.problems import problems
from doorstep.doors.hooks.routes import (
    BODY_LIMIT,
    FORGED,
    PROBLEMS,
    AnyRequest,
    Received,
    Secret,
    SignatureNotValid,
    receive,
)
from doorstep.flows.message_news import OUR_NUMBER
from doorstep.settings import settings

OPEN = {**public(), "exclude_from_csrf": True}

Mode = Annotated[str, QueryParameter(name="hub.mode", max_length=40)]
Token = Annotated[str, QueryParameter(name="hub.verify_token", max_length=200)]
Challenge = Annotated[
    str, QueryParameter(name="hub.challenge", max_length=200, pattern=r"^[A-Za-z0-9_.-]+$")
]


@get(
    "/hooks/whatsapp",
    operation_id="verifyWhatsAppHook",
    opt=OPEN,
    media_type=MediaType.TEXT,
    responses=problems(SignatureNotValid),
    tags=["hooks"],
)
async def verify_whatsapp(mode: Mode, token: Token, challenge: Challenge) -> str:
    """Say the challenge back when WhatsApp registers this address with our token."""
    ours = settings().whatsapp_verify_token
    same = hmac.compare_digest(ours.encode(), token.encode())
    if not (ours and same and mode == "subscribe"):
        FORGED.labels("whatsapp").inc()
        raise SignatureNotValid
    return challenge


@post(
    "/hooks/whatsapp",
    operation_id="receiveWhatsAppNews",
    status_code=200,
    opt=OPEN,
    request_max_body_size=BODY_LIMIT,
    responses=PROBLEMS,
    tags=["hooks"],
)
async def receive_whatsapp(request: AnyRequest) -> Received:
    """Take reports and messages of WhatsApp, signed in `X-Hub-Signature-256`."""
    return await receive("whatsapp", ports.message_hook("whatsapp"), request)


@post(
    "/hooks/twilio",
    operation_id="receiveTwilioNews",
    status_code=204,
    opt=OPEN,
    request_max_body_size=BODY_LIMIT,
    responses=PROBLEMS,
    tags=["hooks"],
)
async def receive_twilio(request: AnyRequest) -> None:
    """Take what somebody wrote, or a report, signed in `X-Twilio-Signature`; the answer says nothing."""
    await receive("twilio", ports.message_hook("twilio"), request)


@post(
    "/hooks/twilio/{message_id:uuid}",
    operation_id="receiveTwilioReport",
    status_code=204,
    opt=OPEN,
    request_max_body_size=BODY_LIMIT,
    responses=PROBLEMS,
    tags=["hooks"],
)
async def receive_twilio_report(request: AnyRequest, message_id: UUID) -> None:
    """Take a report of a message whose number stands in the address, which is signed too."""
    ours = str(message_id)
    hook = ports.message_hook("twilio")
    await receive("twilio", hook, request, ours, noted={OUR_NUMBER: ours})


@post(
    "/hooks/msg91/{secret:str}",
    operation_id="receiveMsg91Report",
    status_code=200,
    opt=OPEN,
    request_max_body_size=BODY_LIMIT,
    responses=PROBLEMS,
    tags=["hooks"],
)
async def receive_msg91(request: AnyRequest, secret: Secret) -> Received:
    """Take reports of MSG91, which prove nothing but that they know our address."""
    return await receive("msg91", ports.message_hook("msg91"), request, secret)


@post(
    "/hooks/email/{secret:str}",
    operation_id="receiveMailReport",
    status_code=200,
    opt=OPEN,
    request_max_body_size=BODY_LIMIT,
    responses=PROBLEMS,
    tags=["hooks"],
)
async def receive_email(request: AnyRequest, secret: Secret) -> Received:
    """Take a bounce (RFC 3464) or a complaint (RFC 5965) as the mail server got it, headers and all."""
    return await receive("smtp", ports.message_hook("smtp"), request, secret)


ROUTES = [
    verify_whatsapp,
    receive_whatsapp,
    receive_twilio,
    receive_twilio_report,
    receive_msg91,
    receive_email,
]
