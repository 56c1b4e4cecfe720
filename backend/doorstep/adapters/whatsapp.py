"""WhatsApp Cloud API: templates, free words to who has just written, and its signed webhooks.

There is no idempotency key. `biz_opaque_callback_data` carries our own number of the message, and comes
back with each report of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from doorstep.adapters.client import Call, Outgoing
from doorstep.adapters.handing_over import hand_over, unknown
from doorstep.adapters.redaction import redact_body
from doorstep.adapters.signatures import keys_of, signed_by_any
from doorstep.ports import (
    EventUnreadable,
    InboundMessage,
    Letter,
    MessageNews,
    MessageReport,
    OutsideRefused,
    Route,
)
from doorstep.ports.messages import Meaning
from doorstep.settings import settings

SYSTEM = "whatsapp"
MEANINGS: dict[str, Meaning] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
}
PARAMETER_LENGTH = 1024


class _Id(msgspec.Struct):
    id: str


class _Taken(msgspec.Struct):
    messages: list[_Id]


class WhatsApp:
    """Sends from one number of the company."""

    def __init__(
        self, base_url: str, phone_number_id: str, token: str, *, total_seconds: float = 10
    ) -> None:
        self._out = Outgoing(SYSTEM, base_url, total_seconds=total_seconds)
        self._number = phone_number_id
        self._headers = {"Authorization": f"Bearer {token}"}

    @classmethod
    def configured(cls) -> WhatsApp | None:
        """Take number and token from the settings; None where there is no number."""
        given = settings()
        if not given.whatsapp_phone_number_id:
            return None
        return cls(given.whatsapp_url, given.whatsapp_phone_number_id, given.whatsapp_token)

    def route(self, channel: str, to: str) -> Route:
        """Carry what goes by WhatsApp."""
        return Route(SYSTEM, keyed=False)

    async def send(self, letter: Letter) -> str:
        """Send a template, or the words themselves to somebody who has just written to us.

        Raises: OutcomeUnknown, OutsideUnavailable, OutsideRefused.
        """
        answer = await hand_over(
            self._out,
            Call(
                purpose="send_whatsapp",
                method="POST",
                url=f"{self._out.base_url}/{self._number}/messages",
                headers=self._headers,
                body=msgspec.json.encode(_content(letter)),
                hide=frozenset({"text", "body", "input", "wa_id"}),
            ),
        )
        if not answer.ok:
            raise OutsideRefused(
                f"WhatsApp refused the message (HTTP {answer.status}).",
                system=SYSTEM,
                http_status=answer.status,
                answer=redact_body(answer.body)[:500],
            )
        try:
            return msgspec.json.decode(answer.body, type=_Taken).messages[0].id
        except (msgspec.DecodeError, IndexError) as broken:
            raise unknown(SYSTEM, "answered without a number") from broken


def _content(letter: Letter) -> dict[str, Any]:
    common = {
        "messaging_product": "whatsapp",
        "to": letter.to.lstrip("+"),
        "biz_opaque_callback_data": letter.id,
    }
    if letter.reply:
        return common | {"type": "text", "text": {"body": letter.body}}
    if not letter.template:
        raise OutsideRefused("The words have no name at WhatsApp.", system=SYSTEM)
    parameters = [{"type": "text", "text": _parameter(one)} for one in letter.parameters]
    body = [{"type": "body", "parameters": parameters}] if parameters else []
    return common | {
        "type": "template",
        "template": {
            "name": letter.template,
            "language": {"code": letter.language},
            "components": body,
        },
    }


def _parameter(text: str) -> str:
    """Write a parameter as WhatsApp takes it: one line, never empty."""
    return " ".join(text.split())[:PARAMETER_LENGTH] or "–"


class _Error(msgspec.Struct):
    code: int = 0
    title: str = ""


class _Status(msgspec.Struct, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    status: Annotated[str, Meta(max_length=40)]
    timestamp: Annotated[str, Meta(max_length=20)] = ""
    biz_opaque_callback_data: Annotated[str, Meta(max_length=512)] = ""
    errors: list[_Error] = []


class _Text(msgspec.Struct):
    body: Annotated[str, Meta(max_length=10_000)] = ""


class _Incoming(msgspec.Struct, kw_only=True):
    sender: Annotated[str, Meta(min_length=1, max_length=30)] = msgspec.field(name="from")
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    timestamp: Annotated[str, Meta(max_length=20)] = ""
    type: Annotated[str, Meta(max_length=40)] = ""
    text: _Text | None = None


class _Value(msgspec.Struct):
    statuses: Annotated[list[_Status], Meta(max_length=1000)] = []
    messages: Annotated[list[_Incoming], Meta(max_length=1000)] = []


class _Change(msgspec.Struct):
    value: _Value
    field: str = ""


class _Entry(msgspec.Struct):
    changes: list[_Change] = []


class _Event(msgspec.Struct):
    object: str
    entry: list[_Entry]


class WhatsAppHook:
    """Webhooks of the WhatsApp Cloud API; a `ports.Hook[MessageNews]`."""

    def __init__(self, app_secrets: tuple[str, ...]) -> None:
        self._secrets = app_secrets

    @classmethod
    def configured(cls) -> WhatsAppHook:
        """Take the app's secrets from the settings."""
        return cls(keys_of(settings().whatsapp_app_secrets))

    def genuine(self, body: bytes, headers: Mapping[str, str], path_secret: str = "") -> bool:
        """Check `X-Hub-Signature-256`: sha256=, then the hex HMAC-SHA256 of the raw body."""
        given = headers.get("x-hub-signature-256", "")
        return signed_by_any(self._secrets, body, given.removeprefix("sha256="))

    def source_id(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Name the call by its bytes: it may hold many words, and has no number. Raises: EventUnreadable."""
        self.read(body)
        return hashlib.sha256(body).hexdigest()

    def read(self, body: bytes) -> MessageNews:
        """Understand every report and every message in a call. Raises: EventUnreadable."""
        try:
            event = msgspec.json.decode(body, type=_Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
            raise EventUnreadable(f"WhatsApp: {broken}") from broken
        values = [change.value for entry in event.entry for change in entry.changes]
        return MessageNews(
            reports=[_report(one) for value in values for one in value.statuses],
            inbound=[_inbound(one) for value in values for one in value.messages],
        )


def _report(status: _Status) -> MessageReport:
    errors = [{"code": error.code, "title": error.title[:200]} for error in status.errors[:5]]
    return MessageReport(
        provider_id=status.id,
        status=status.status,
        means=MEANINGS.get(status.status, "nothing"),
        at=_moment(status.timestamp),
        message_id=status.biz_opaque_callback_data,
        reason=", ".join(f"{error['code']} {error['title']}" for error in errors),
        raw={"status": status.status, "timestamp": status.timestamp, "errors": errors},
    )


def _inbound(message: _Incoming) -> InboundMessage:
    return InboundMessage(
        provider_id=message.id,
        channel="whatsapp",
        sender="+" + message.sender.lstrip("+"),
        body=message.text.body if message.text else f"[{message.type}]",
        at=_moment(message.timestamp),
    )


def _moment(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
