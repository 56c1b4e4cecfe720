"""The pretend providers of messages: WhatsApp Cloud API, Twilio and MSG91, with their webhooks.

None of them has an idempotency key: what is handed over twice is there twice, as in life.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import msgspec
from litestar import Request, Response, post
from litestar.params import FromPath, JSONBody
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_201_CREATED,
    HTTP_202_ACCEPTED,
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
)
from msgspec import Meta

from doorstep.core import clock
from doorstep.sandbox.hooks import Webhook
from doorstep.sandbox.world import Here, World, sign

AnyRequest = Request[Any, Any, Any]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STEP = 0.03
"""Seconds between two reports of one message."""


class Handed(NamedTuple):
    """A message that a provider has taken."""

    id: str
    provider: str
    reference: str
    to: str


def keep(world: World, handed: Handed, channel: str, body: str, language: str) -> None:
    """Let the reader have the message."""
    world.store.run(
        "INSERT INTO message VALUES (?, NULL, ?, ?, '', ?, ?, ?, 1)",
        (handed.id, channel, handed.to, body, language, clock.now().isoformat()),
    )
    world.store.run(
        "INSERT INTO message_handed VALUES (?, ?, ?)",
        (handed.id, handed.provider, handed.reference),
    )


def fates(world: World, *, may_read: bool) -> list[str]:
    """Decide what the provider will report of a message, in its order."""
    if world.faults.fires("messaging", "message_fails"):
        return ["sent", "failed"]
    if world.faults.fires("messaging", "no_receipt"):
        return ["sent"]
    return ["sent", "delivered", "read"] if may_read else ["sent", "delivered"]


def report(world: World, handed: Handed, statuses: Sequence[str], hooks: Sequence[Webhook]) -> None:
    """Send the reports, and remember them for the page."""
    for status in statuses:
        world.store.run(
            "INSERT INTO message_reported (message_id, status, at) VALUES (?, ?, ?)",
            (handed.id, status, clock.now().isoformat()),
        )
    late = [hook._replace(after=STEP * n) for n, hook in enumerate(hooks)]
    world.hooks.send("messaging", *late)


# --- WhatsApp -------------------------------------------------------------------------------------


@post("/whatsapp/{number:str}/messages", status_code=HTTP_200_OK)
async def take_whatsapp(
    request: AnyRequest, world: Here, number: FromPath[str], data: JSONBody[dict[str, Any]]
) -> Response[dict[str, Any]]:
    """Take a template or free words for a number of the company, as WhatsApp's messages edge does."""
    if request.headers.get("authorization") != f"Bearer {world.whatsapp_token}":
        return Response(
            {"error": {"code": 190, "message": "Invalid OAuth access token"}},
            status_code=HTTP_401_UNAUTHORIZED,
        )
    words = _words(data)
    if data.get("messaging_product") != "whatsapp" or not words:
        return Response(
            {"error": {"code": 100, "message": "Invalid parameter"}},
            status_code=HTTP_400_BAD_REQUEST,
        )
    to = str(data.get("to", ""))
    reference = str(data.get("biz_opaque_callback_data", ""))
    handed = Handed(f"wamid.{uuid4().hex}", "whatsapp", reference, f"+{to}")
    language = str(data.get("template", {}).get("language", {}).get("code", "en"))
    keep(world, handed, "whatsapp", words, language)
    statuses = fates(world, may_read=True)
    # The last two words come in one call, as busy numbers get them.
    calls = [statuses[:1], statuses[1:]] if len(statuses) > 1 else [statuses]
    report(world, handed, statuses, [whatsapp_report(world, handed, one) for one in calls])
    return Response(
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": to}],
            "messages": [{"id": handed.id, "message_status": "accepted"}],
        },
        status_code=HTTP_200_OK,
    )


def _words(data: dict[str, Any]) -> str:
    if data.get("type") == "text":
        return str(data.get("text", {}).get("body", ""))
    template = data.get("template", {})
    filled = [
        str(parameter.get("text", ""))
        for component in template.get("components", [])
        for parameter in component.get("parameters", [])
    ]
    return f"{template['name']}: {' · '.join(filled)}" if template.get("name") else ""


def whatsapp_report(world: World, handed: Handed, statuses: Sequence[str]) -> Webhook:
    """Write what WhatsApp's webhooks say of a message, in one call."""
    said = [_whatsapp_status(handed, status) for status in statuses]
    return _whatsapp_hook(world, {"statuses": said})


def _whatsapp_status(handed: Handed, status: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": handed.id,
        "status": status,
        "timestamp": str(int(time.time())),
        "recipient_id": handed.to.lstrip("+"),
        "biz_opaque_callback_data": handed.reference,
    }
    if status == "failed":
        said["errors"] = [{"code": 131026, "title": "Message undeliverable"}]
    return said


def _whatsapp_hook(world: World, value: dict[str, Any]) -> Webhook:
    metadata = {"metadata": {"phone_number_id": "1"}}
    body = msgspec.json.encode(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messages", "value": metadata | value}]}],
        }
    )
    signature = f"sha256={sign(world.whatsapp_secret, body)}"
    return Webhook("/hooks/whatsapp", {"X-Hub-Signature-256": signature}, body)


# --- Twilio ---------------------------------------------------------------------------------------


@post("/twilio/2010-04-01/Accounts/{sid:str}/Messages.json", status_code=HTTP_201_CREATED)
async def take_twilio(
    request: AnyRequest, world: Here, sid: FromPath[str]
) -> Response[dict[str, Any]]:
    """Take an SMS as a form, as Twilio's Messages resource does."""
    pair = base64.b64encode(f"{world.twilio_account}:{world.twilio_token}".encode()).decode()
    if request.headers.get("authorization") != f"Basic {pair}" or sid != world.twilio_account:
        return Response({"code": 20003, "status": 401}, status_code=HTTP_401_UNAUTHORIZED)
    form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    if not form.get("To", "").startswith("+"):
        return Response({"code": 21211, "status": 400}, status_code=HTTP_400_BAD_REQUEST)
    callback = form.get("StatusCallback", "")
    reference = callback.rpartition("/")[2]
    handed = Handed(f"SM{uuid4().hex}", "twilio", reference, form["To"])
    keep(world, handed, "sms", form.get("Body", ""), "")
    statuses = fates(world, may_read=False)
    said = ["undelivered" if one == "failed" else one for one in statuses]
    if callback:
        hooks = [twilio_report(world, handed, one, callback) for one in said]
        report(world, handed, said, hooks)
    return Response(
        {"sid": handed.id, "status": "queued", "error_code": None}, status_code=HTTP_201_CREATED
    )


def twilio_report(world: World, handed: Handed, status: str, callback: str) -> Webhook:
    """Write one status as Twilio calls back, signed over the address it was given."""
    fields = {
        "AccountSid": world.twilio_account,
        "MessageSid": handed.id,
        "MessageStatus": status,
        "To": handed.to,
    }
    if status == "undelivered":
        fields["ErrorCode"] = "30003"
    return _twilio_hook(world, callback, fields)


def _twilio_hook(world: World, url: str, fields: dict[str, str]) -> Webhook:
    text = url + "".join(name + value for name, value in sorted(fields.items()))
    made = hmac.new(world.twilio_token.encode(), text.encode(), hashlib.sha1).digest()
    headers = {**FORM, "X-Twilio-Signature": base64.b64encode(made).decode()}
    return Webhook(urlsplit(url).path, headers, urlencode(fields).encode())


# --- MSG91 ----------------------------------------------------------------------------------------

_MSG91 = {"delivered": "1", "failed": "2"}


@post("/msg91/api/v5/flow/", status_code=HTTP_200_OK)
async def take_msg91(
    request: AnyRequest, world: Here, data: JSONBody[dict[str, Any]]
) -> dict[str, str]:
    """Take an SMS by a flow; what is wrong is told with HTTP 200, as MSG91 does."""
    if request.headers.get("authkey") != world.msg91_key:
        return {"type": "error", "message": "Authentication failure"}
    if not data.get("flow_id") or not data.get("recipients"):
        return {"type": "error", "message": "template id missing"}
    reader = data["recipients"][0]
    request_id = uuid4().hex[:24]
    handed = Handed(request_id, "msg91", str(reader.get("CRQID", "")), f"+{reader['mobiles']}")
    filled = [str(text) for name, text in reader.items() if name.startswith("VAR")]
    keep(world, handed, "sms", f"{data['flow_id']}: {' · '.join(filled)}", "")
    statuses = [one for one in fates(world, may_read=False) if one != "sent"]
    report(world, handed, statuses, [msg91_report(world, handed, one) for one in statuses])
    return {"type": "success", "message": request_id}


def msg91_report(world: World, handed: Handed, status: str) -> Webhook:
    """Write one report as MSG91's webhook of version 2 does: a form with JSON in it."""
    line = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "number": handed.to.lstrip("+"),
        "status": _MSG91[status],
        "desc": status.upper(),
        "failedReason": "Absent subscriber" if status == "failed" else "",
        "CRQID": handed.reference,
    }
    data = [{"senderId": "DSTEP", "requestId": handed.id, "report": [line], "userId": "1"}]
    body = urlencode({"data": msgspec.json.encode(data).decode()}).encode()
    return Webhook(f"/hooks/msg91/{world.msg91_path_secret}", FORM, body)


# --- People write ---------------------------------------------------------------------------------


class Written(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What somebody writes to the company's number."""

    provider: Literal["whatsapp", "twilio"]
    sender: Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$")]
    body: Annotated[str, Meta(min_length=1, max_length=1600)]


@post("/_inbound", status_code=HTTP_202_ACCEPTED)
async def write_to_us(world: Here, data: JSONBody[Written]) -> None:
    """Let somebody write to the company, by WhatsApp or SMS."""
    if data.provider == "whatsapp":
        message = {
            "from": data.sender.lstrip("+"),
            "id": f"wamid.{uuid4().hex}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": data.body},
        }
        world.hooks.send("messaging", _whatsapp_hook(world, {"messages": [message]}))
        return
    fields = {
        "AccountSid": world.twilio_account,
        "MessageSid": f"SM{uuid4().hex}",
        "From": data.sender,
        "Body": data.body,
    }
    url = f"{world.public_url}/hooks/twilio"
    world.hooks.send("messaging", _twilio_hook(world, url, fields))


ROUTES = [take_whatsapp, take_twilio, take_msg91, write_to_us]
