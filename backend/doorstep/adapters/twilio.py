"""Twilio: SMS by its REST API, and its webhooks, signed over the address that they were sent to.

There is no idempotency key. The address of the reports names our own number of the message.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from doorstep.adapters.client import Answer, Call, Outgoing
from doorstep.adapters.handing_over import hand_over, unknown
from doorstep.adapters.redaction import redact_body
from doorstep.adapters.signatures import hashed_by_any, keys_of
from doorstep.ports import (
    AddressDead,
    EventUnreadable,
    InboundMessage,
    Letter,
    MessageNews,
    MessageReport,
    OutsideRefused,
    RecipientStopped,
    Route,
)
from doorstep.ports.messages import Meaning
from doorstep.settings import settings

SYSTEM = "twilio"
HOOK_PATH = "/hooks/twilio"

MEANINGS: dict[str, Meaning] = {
    "accepted": "nothing",
    "scheduled": "nothing",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}

STOPPED = 21610
"""The reader has answered STOP to this sender."""

NO_NUMBER = frozenset({21211, 21614})
"""The number is none, or none that takes messages."""

LONGEST_FIELD = 4000
MOST_FIELDS = 200


class _Taken(msgspec.Struct):
    sid: str


class _Refused(msgspec.Struct):
    code: int = 0


class Twilio:
    """Sends SMS from one number or messaging service of the company."""

    def __init__(
        self,
        base_url: str,
        account_sid: str,
        auth_token: str,
        sender: str,
        public_url: str,
        *,
        total_seconds: float = 10,
    ) -> None:
        self._out = Outgoing(SYSTEM, base_url, total_seconds=total_seconds)
        self._account = account_sid
        pair = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._sender = ("MessagingServiceSid" if sender.startswith("MG") else "From", sender)
        self._hook = public_url.rstrip("/") + HOOK_PATH

    @classmethod
    def configured(cls) -> Twilio | None:
        """Take the account from the settings; None where there is none."""
        given = settings()
        if not given.twilio_account_sid:
            return None
        tokens = keys_of(given.twilio_auth_tokens) or ("",)
        return cls(
            given.twilio_url,
            given.twilio_account_sid,
            tokens[0],
            given.twilio_from,
            given.public_url,
        )

    def route(self, channel: str, to: str) -> Route:
        """Carry SMS."""
        return Route(SYSTEM, keyed=False)

    async def send(self, letter: Letter) -> str:
        """Send an SMS.

        Raises: OutcomeUnknown, OutsideUnavailable, RecipientStopped, AddressDead, OutsideRefused.
        """
        name, sender = self._sender
        form = {
            "To": letter.to,
            name: sender,
            "Body": letter.body,
            "StatusCallback": f"{self._hook}/{letter.id}",
        }
        answer = await hand_over(
            self._out,
            Call(
                purpose="send_sms",
                method="POST",
                url=f"{self._out.base_url}/2010-04-01/Accounts/{self._account}/Messages.json",
                headers=self._headers,
                body=urlencode(form).encode(),
            ),
        )
        if not answer.ok:
            raise _refusal(answer)
        try:
            return msgspec.json.decode(answer.body, type=_Taken).sid
        except msgspec.DecodeError as broken:
            raise unknown(SYSTEM, "answered without a number") from broken


def _refusal(answer: Answer) -> OutsideRefused:
    try:
        code = msgspec.json.decode(answer.body, type=_Refused).code
    except msgspec.DecodeError:
        code = 0
    kind = OutsideRefused
    if code == STOPPED:
        kind = RecipientStopped
    elif code in NO_NUMBER:
        kind = AddressDead
    return kind(
        f"Twilio refused the message (HTTP {answer.status}, code {code}).",
        system=SYSTEM,
        http_status=answer.status,
        answer=redact_body(answer.body)[:500],
    )


class TwilioHook:
    """Webhooks of Twilio: reports of messages, and what people write; a `ports.Hook[MessageNews]`."""

    def __init__(self, auth_tokens: tuple[str, ...], public_url: str) -> None:
        self._tokens = auth_tokens
        self._url = public_url.rstrip("/") + HOOK_PATH

    @classmethod
    def configured(cls) -> TwilioHook:
        """Take the tokens from the settings, and the address that Twilio knows us by."""
        return cls(keys_of(settings().twilio_auth_tokens), settings().public_url)

    def genuine(self, body: bytes, headers: Mapping[str, str], path_secret: str = "") -> bool:
        """Check `X-Twilio-Signature`: Base64 of HMAC-SHA1 over our public address and the sorted form.

        `path_secret` is what follows the address: our number of the message.
        """
        try:
            fields = _fields(body)
        except EventUnreadable:
            return False
        url = f"{self._url}/{quote(path_secret, safe='')}" if path_secret else self._url
        signed = url + "".join(name + text for name, text in sorted(fields.items()))
        return hashed_by_any(self._tokens, signed.encode(), headers.get("x-twilio-signature", ""))

    def source_id(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Name the event by the message's number and its status. Raises: EventUnreadable."""
        fields = _fields(body)
        return f"{_sid(fields)}:{_status(fields)}"

    def read(self, body: bytes) -> MessageNews:
        """Understand a report, or a message to us. Raises: EventUnreadable."""
        fields = _fields(body)
        sid, status = _sid(fields), _status(fields)
        if status == "received":
            sender = fields.get("From", "")
            if not sender:
                raise EventUnreadable("Twilio: a message without a sender.")
            words = InboundMessage(
                provider_id=sid, channel="sms", sender=sender, body=fields.get("Body", ""), at=None
            )
            return MessageNews(inbound=[words])
        code = fields.get("ErrorCode", "")
        report = MessageReport(
            provider_id=sid,
            status=status,
            means=MEANINGS.get(status, "nothing"),
            at=None,
            reason=f"Twilio {code}" if code else "",
            raw={"status": status, "code": code},
        )
        return MessageNews(reports=[report])


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS
        )
    except (ValueError, UnicodeDecodeError) as broken:
        raise EventUnreadable(f"Twilio: {broken}") from broken
    if any("\x00" in text for pair in pairs for text in pair):
        raise EventUnreadable("Twilio: the form holds a NUL.")
    return {name: text[:LONGEST_FIELD] for name, text in pairs}


def _sid(fields: Mapping[str, str]) -> str:
    sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
    if not 0 < len(sid) <= 100:
        raise EventUnreadable("Twilio: no number of a message.")
    return sid


def _status(fields: Mapping[str, str]) -> str:
    # A message to us has no MessageStatus; old hooks say SmsStatus.
    status = fields.get("MessageStatus") or fields.get("SmsStatus") or "received"
    return "received" if status == "receiving" else status[:40]
