"""MSG91: SMS in India by registered words (DLT), and its reports, which nothing signs.

There is no idempotency key. `CRQID` carries our own number of the message, and comes back with reports.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from doorstep.adapters.client import Call, Outgoing
from doorstep.adapters.handing_over import hand_over, unknown
from doorstep.adapters.path_secret import PathSecretHook
from doorstep.adapters.redaction import redact_body
from doorstep.adapters.signatures import keys_of
from doorstep.ports import (
    EventUnreadable,
    Letter,
    MessageNews,
    MessageReport,
    OutsideRefused,
    Route,
)
from doorstep.ports.messages import Meaning
from doorstep.settings import settings

SYSTEM = "msg91"
IST = timezone(timedelta(hours=5, minutes=30))

MEANINGS: dict[str, Meaning] = {
    "1": "delivered",
    "2": "failed",
    "9": "failed",
    "16": "failed",
    "17": "failed",
    "25": "failed",
}


class _Answer(msgspec.Struct):
    type: str = ""
    message: str = ""


class Msg91:
    """Sends SMS by flows, whose ids stand on the company's own templates."""

    def __init__(
        self, base_url: str, auth_key: str, sender: str, *, total_seconds: float = 10
    ) -> None:
        self._out = Outgoing(SYSTEM, base_url, total_seconds=total_seconds)
        self._headers = {"authkey": auth_key}
        self._sender = sender

    @classmethod
    def configured(cls) -> Msg91 | None:
        """Take the key from the settings; None where there is none."""
        given = settings()
        if not given.msg91_auth_key:
            return None
        return cls(given.msg91_url, given.msg91_auth_key, given.msg91_sender)

    def route(self, channel: str, to: str) -> Route:
        """Carry SMS."""
        return Route(SYSTEM, keyed=False)

    async def send(self, letter: Letter) -> str:
        """Send registered words with what is filled in as VAR1, VAR2, and so on.

        Raises: OutcomeUnknown, OutsideUnavailable; OutsideRefused, also for words without a DLT id.
        """
        if not letter.template:
            raise OutsideRefused("The words have no DLT id at MSG91.", system=SYSTEM)
        filled = {f"VAR{n}": text for n, text in enumerate(letter.parameters, start=1)}
        content = {
            "flow_id": letter.template,
            "sender": self._sender,
            "short_url": "0",
            "recipients": [{"mobiles": letter.to.lstrip("+"), "CRQID": letter.id, **filled}],
        }
        answer = await hand_over(
            self._out,
            Call(
                purpose="send_sms",
                method="POST",
                url=f"{self._out.base_url}/api/v5/flow/",
                headers=self._headers,
                body=msgspec.json.encode(content),
                hide=frozenset(filled),
            ),
        )
        try:
            said = msgspec.json.decode(answer.body, type=_Answer)
        except msgspec.DecodeError as broken:
            if answer.ok:
                raise unknown(SYSTEM, "answered what nobody understands") from broken
            said = _Answer()
        if answer.ok and said.type == "success" and said.message:
            return said.message
        raise OutsideRefused(
            f"MSG91 refused the message (HTTP {answer.status}): {said.message[:200]}",
            system=SYSTEM,
            http_status=answer.status,
            answer=redact_body(answer.body)[:500],
        )


_Short = Annotated[str, Meta(max_length=200)]


class _Line(msgspec.Struct, kw_only=True):
    status: _Short
    desc: _Short = ""
    date: _Short = ""
    failed_reason: Annotated[str, Meta(max_length=1000)] | None = msgspec.field(
        default=None, name="failedReason"
    )
    crqid: _Short | None = msgspec.field(default=None, name="CRQID")


class _Request(msgspec.Struct, kw_only=True):
    request_id: Annotated[str, Meta(min_length=1, max_length=200)] = msgspec.field(name="requestId")
    report: Annotated[list[_Line], Meta(max_length=1000)]


class _Flat(_Line, kw_only=True):
    request_id: Annotated[str, Meta(min_length=1, max_length=200)] = msgspec.field(name="requestId")


class Msg91Hook(PathSecretHook):
    """Reports of MSG91, version 2 (a form with JSON in it) and 3 (JSON); a `ports.Hook[MessageNews]`.

    Nothing signs them: a secret in our path must be right, and what they say stays a hint: it moves
    no order and no money, only when another channel is tried.
    """

    @classmethod
    def configured(cls) -> Msg91Hook:
        """Take the path's secrets from the settings."""
        return cls(keys_of(settings().msg91_path_secrets))

    def read(self, body: bytes) -> MessageNews:
        """Understand the reports. Raises: EventUnreadable."""
        try:
            if body.lstrip()[:1] in (b"{", b"["):
                flat = msgspec.json.decode(body, type=_Flat, strict=False)
                return MessageNews(reports=[_report(flat.request_id, flat)])
            data = parse_qs(body.decode(), max_num_fields=50).get("data", [""])[0]
            requests = msgspec.json.decode(data, type=list[_Request], strict=False)
        except (msgspec.DecodeError, ValueError, RecursionError) as broken:
            raise EventUnreadable(f"MSG91: {broken}") from broken
        return MessageNews(
            reports=[_report(one.request_id, line) for one in requests for line in one.report]
        )


def _report(request_id: str, line: _Line) -> MessageReport:
    ours = line.crqid or ""
    raw: dict[str, Any] = {"status": line.status, "desc": line.desc, "date": line.date}
    return MessageReport(
        provider_id=request_id,
        status=line.status,
        means=MEANINGS.get(line.status, "nothing"),
        at=_moment(line.date),
        message_id="" if ours == "0" else ours,
        reason=line.failed_reason or (line.desc if line.status != "1" else ""),
        raw=raw,
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=IST)
