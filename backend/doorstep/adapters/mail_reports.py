"""What mail servers send back about our e-mails: bounces (RFC 3464) and complaints (RFC 5965).

The mail server pipes each of them to our door as it came. Our own number of the message is the first half
of its Message-ID (`smtp.py`), which both kinds of report give back with the message's headers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email import message_from_bytes, message_from_string
from email.errors import MessageError
from email.message import Message
from email.utils import parsedate_to_datetime

from doorstep.adapters.path_secret import PathSecretHook
from doorstep.adapters.signatures import keys_of
from doorstep.ports import EventUnreadable, MessageNews, MessageReport
from doorstep.ports.messages import Meaning
from doorstep.settings import settings

MEANINGS: dict[str, Meaning] = {"failed": "failed", "delivered": "delivered"}
"""By the `Action` of RFC 3464 §2.3.3; delayed, relayed and expanded decide nothing."""

GONE = ("5.1.", "5.2.1")
"""Enhanced statuses (RFC 3463) of an address that is none, or a mailbox that takes no mail any more."""

FINE = frozenset({"not-spam"})
"""A feedback type that takes a complaint back (RFC 5965 §7.3, RFC 6430)."""

LONGEST = 200


class MailHook(PathSecretHook):
    """Reads the reports that come back about e-mails; a `ports.Hook[MessageNews]`.

    A mail server signs nothing: a secret in our path must be right.
    """

    @classmethod
    def configured(cls) -> MailHook:
        """Take the path's secrets from the settings."""
        return cls(keys_of(settings().smtp_path_secrets))

    def read(self, body: bytes) -> MessageNews:
        """Understand a bounce or a complaint. Raises: EventUnreadable for any other mail."""
        try:
            mail = message_from_bytes(body)
            reports = list(_reports(mail))
        except (MessageError, ValueError, LookupError, RecursionError) as broken:
            raise EventUnreadable(f"E-mail: {broken}") from broken
        if not reports:
            raise EventUnreadable(
                "E-mail: neither a bounce nor a complaint about a message of ours."
            )
        return MessageNews(reports=reports)


def _reports(mail: Message) -> Iterator[MessageReport]:
    parts = {part.get_content_type(): part for part in mail.walk()}
    message_id = _message_id(parts)
    if not message_id:
        return
    at = _moment(mail)
    if "message/delivery-status" in parts:
        # The first block is about the whole message, each further one about a recipient.
        for block in _blocks(parts["message/delivery-status"])[1:]:
            yield _bounce(block, message_id, at)
    elif "message/feedback-report" in parts:
        for block in _blocks(parts["message/feedback-report"]):
            yield _complaint(block, message_id, at)


def _blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _message_id(parts: Mapping[str, Message]) -> str:
    """Find the Message-ID of what the report is about: it comes back whole, or its headers alone."""
    for whole in _blocks(parts["message/rfc822"]) if "message/rfc822" in parts else []:
        return _text(whole, "Message-ID")
    if "text/rfc822-headers" in parts:
        headers = parts["text/rfc822-headers"].get_payload(decode=True)
        if isinstance(headers, bytes):
            return _text(message_from_string(headers.decode(errors="replace")), "Message-ID")
    return ""


def _bounce(block: Message, message_id: str, at: datetime | None) -> MessageReport:
    action, status = _text(block, "Action").lower(), _text(block, "Status")
    means = MEANINGS.get(action, "nothing")
    said = _text(block, "Diagnostic-Code")
    return MessageReport(
        provider_id=message_id,
        status=f"{action} {status}".strip(),
        means=means,
        at=at,
        message_id=_ours(message_id),
        reason=f"{status} {said}".strip() if means != "delivered" else "",
        stops="hard_bounce" if means == "failed" and status.startswith(GONE) else "",
        raw={"action": action, "status": status},
    )


def _complaint(block: Message, message_id: str, at: datetime | None) -> MessageReport:
    kind = _text(block, "Feedback-Type").lower()
    return MessageReport(
        provider_id=message_id,
        status=f"complaint {kind}".strip(),
        means="nothing",
        at=at,
        message_id=_ours(message_id),
        reason=f"The reader's mailbox reports it as {kind or 'unwanted'}.",
        stops="" if kind in FINE else "complaint",
        raw={"feedback": kind},
    )


def _ours(message_id: str) -> str:
    return message_id.strip("<>").partition("@")[0]


def _text(block: Message, name: str) -> str:
    """Read a header as one short line without what a database refuses."""
    return " ".join(str(block.get(name, "")).replace("\x00", "").split())[:LONGEST]


def _moment(mail: Message) -> datetime | None:
    try:
        moment = parsedate_to_datetime(str(mail.get("Date", "")))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
