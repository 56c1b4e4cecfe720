"""E-mail by SMTP (aiosmtplib), with the checks of our own client: public addresses, encryption, ten seconds.

There is no idempotency key either, but a repeat has the same Message-ID, by which mailboxes know it.
"""

from __future__ import annotations

import asyncio
import socket
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import aiosmtplib
import httpcore

from doorstep.adapters.client import CONNECT_SECONDS, TOTAL_SECONDS, CalledInTransaction
from doorstep.adapters.guard import AddressRefused, addresses_of, further_origins, origin
from doorstep.adapters.handing_over import unknown
from doorstep.core import db
from doorstep.core.clock import now
from doorstep.ports import (
    AddressDead,
    Letter,
    OutsideRefused,
    OutsideUnavailable,
    Route,
)
from doorstep.settings import settings

SYSTEM = "smtp"
PERMANENT = 500
NO_MAILBOX = frozenset({550, 551, 553})
"""No such mailbox, moved, or not an address: it bounces for good."""

POLICY = "5.7."
"""The enhanced status of what is refused by a rule of the server, and not for want of a mailbox."""


class BadSmtpSettings(ValueError):
    """SMTP_URL is not smtp:// or smtps:// with a host, or SMTP_FROM is no address."""


class Smtp:
    """Sends e-mails through the company's mail server."""

    def __init__(
        self, url: str, sender: str, bounces: str = "", *, total_seconds: float = TOTAL_SECONDS
    ) -> None:
        """Send as `sender`; what cannot be delivered goes back to `bounces`, if that is another address.

        Raises: BadSmtpSettings.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or "@" not in sender:
            raise BadSmtpSettings(
                "SMTP_URL and SMTP_FROM do not say where e-mails go, or who sends."
            )
        self._host = parts.hostname
        self._origin = origin(url)
        self._port = int(self._origin.rpartition(":")[2])
        self._tls = parts.scheme == "smtps"
        self._login = (unquote(parts.username or ""), unquote(parts.password or ""))
        self._sender = sender
        self._bounces = bounces or sender
        self._total = total_seconds

    @classmethod
    def configured(cls) -> Smtp | None:
        """Take the server from the settings; None where there is none. Raises: BadSmtpSettings."""
        given = settings()
        if not given.smtp_url:
            return None
        return cls(given.smtp_url, given.smtp_from, given.smtp_bounces)

    def route(self, channel: str, to: str) -> Route:
        """Carry e-mail."""
        return Route(SYSTEM, keyed=False)

    async def send(self, letter: Letter) -> str:
        """Hand an e-mail to the mail server; return its Message-ID.

        Raises: OutcomeUnknown when its last line was sent and no answer came; OutsideUnavailable for
        no connection and 4xx, and for refusals of ourselves; AddressDead for a mailbox that is none;
        OutsideRefused; CalledInTransaction.
        """
        if db.in_transaction():
            raise CalledInTransaction(SYSTEM)
        asked = handed = False
        try:
            message = self._message(letter)
            words = message.as_bytes(policy=SMTP_POLICY)
            async with asyncio.timeout(self._total):
                client = await self._connected()
                try:
                    await client.mail(self._bounces)
                    asked = True
                    await client.rcpt(letter.to)
                    handed = True
                    await client.data(words)
                finally:
                    client.close()
        except aiosmtplib.SMTPResponseException as refused:
            raise _refusal(refused, of_reader=asked) from refused
        except (
            aiosmtplib.SMTPException,
            httpcore.ConnectError,
            httpcore.ConnectTimeout,
            OSError,
            TimeoutError,
        ) as failed:
            if handed:
                raise unknown(SYSTEM, "did not answer") from failed
            raise OutsideUnavailable(
                f"smtp did not answer ({type(failed).__name__}).", system=SYSTEM, sent=False
            ) from failed
        except (AddressRefused, ValueError) as wrong:
            raise OutsideRefused(f"smtp: {wrong}", system=SYSTEM) from wrong
        return str(message["Message-ID"])

    async def _connected(self) -> aiosmtplib.SMTP:
        """Connect to an address that was checked, encrypted unless the settings name this server.

        Raises: AddressRefused; SMTPException, OSError, httpcore.ConnectError.
        """
        address = (await addresses_of(self._host, self._port))[0]
        loop = asyncio.get_running_loop()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        raw = socket.socket(family, socket.SOCK_STREAM)
        raw.setblocking(False)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.sock_connect(raw, (address, self._port))
        except BaseException:
            raw.close()
            raise
        plain = not self._tls and self._origin in further_origins()
        client = aiosmtplib.SMTP(
            hostname=self._host,
            sock=raw,
            timeout=self._total,
            use_tls=self._tls,
            start_tls=not self._tls and not plain,
            local_hostname="doorstep",
        )
        await client.connect()
        if self._login[0]:
            await client.login(*self._login)
        return client

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = Address(settings().company_name, addr_spec=self._sender)
        message["To"] = letter.to
        message["Subject"] = " ".join(letter.subject.split())
        message["Date"] = format_datetime(now())
        message["Message-ID"] = f"<{letter.id}@{self._sender.partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = letter.language
        message.set_content(letter.body)
        return message


def _refusal(refused: aiosmtplib.SMTPResponseException, *, of_reader: bool) -> Exception:
    said = f"The mail server answered {refused.code} {refused.message}"[:300]
    # What it says of ourselves (no login, wrong sender) is put right here, and is not the reader's.
    if refused.code < PERMANENT or not of_reader:
        return OutsideUnavailable(said, system=SYSTEM, sent=False)
    for_good = refused.code in NO_MAILBOX and not refused.message.startswith(POLICY)
    if for_good and isinstance(refused, aiosmtplib.SMTPRecipientRefused):
        return AddressDead(said, system=SYSTEM, http_status=refused.code)
    return OutsideRefused(said, system=SYSTEM, http_status=refused.code)
