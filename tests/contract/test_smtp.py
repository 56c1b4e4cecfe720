"""E-mail by SMTP, against a mail server of this file: words, headers, refusals, silence, and the checks."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage

import pytest

from doorstep import ports
from doorstep.adapters.client import CalledInTransaction
from doorstep.adapters.smtp import BadSmtpSettings, Smtp
from doorstep.core import db as core_db

FROM = "orders@shop.example"
LETTER = ports.Letter(
    id="0198-1",
    channel="email",
    to="aisha@example.com",
    subject="الطلب DS-1:\nتم التسليم",
    body="تم التسليم.\n.\nشكرًا",
    language="ar",
)


@dataclass
class MailServer:
    """Speaks enough SMTP; `says` are answers to give instead, by the verb they answer."""

    says: dict[str, str] = field(default_factory=dict)
    silent_at: str = ""
    got: list[tuple[str, str, EmailMessage]] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = to = ""
        writer.write(b"220 mail.example\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if verb == self.silent_at:
                await reader.read()
                break
            answer = self.says.get(verb, "250 OK")
            if verb == "MAIL":
                sender = line.partition("<")[2].partition(">")[0]
            elif verb == "RCPT":
                to = line.partition("<")[2].partition(">")[0]
            elif verb == "DATA" and verb not in self.says:
                writer.write(b"354 go on\r\n")
                content = (await reader.readuntil(b"\r\n.\r\n"))[:-5].replace(b"\r\n..", b"\r\n.")
                if self.silent_at == "END":
                    await reader.read()
                    break
                answer = self.says.get("END", "250 taken")
                if answer.startswith("2"):
                    parsed = email.message_from_bytes(content, policy=email.policy.default)
                    assert isinstance(parsed, EmailMessage)
                    self.got.append((sender, to, parsed))
            writer.write(f"{answer}\r\n".encode())
        writer.close()


@asynccontextmanager
async def serving(server: MailServer) -> AsyncIterator[MailServer]:
    listening = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


@pytest.fixture
async def server(db: object, allow: Callable[[str], None]) -> AsyncIterator[MailServer]:
    async with serving(MailServer()) as started:
        allow(f"smtp://127.0.0.1:{started.port}")
        yield started


def smtp(server: MailServer, **arguments: float) -> Smtp:
    return Smtp(f"smtp://127.0.0.1:{server.port}", FROM, **arguments)


async def test_an_email_arrives_as_it_was_written(server: MailServer) -> None:
    number = await smtp(server).send(LETTER)
    ((sender, to, message),) = server.got
    assert (sender, to) == (FROM, "aisha@example.com")
    assert message["Subject"] == "الطلب DS-1: تم التسليم"
    assert message.get_content().rstrip().replace("\r\n", "\n") == LETTER.body
    assert message["Message-ID"] == number == "<0198-1@shop.example>"
    assert message["From"].addresses[0].addr_spec == FROM
    assert message["Auto-Submitted"] == "auto-generated"


async def test_what_cannot_be_delivered_goes_back_to_an_address_of_its_own(
    server: MailServer,
) -> None:
    back = "bounces@shop.example"
    await Smtp(f"smtp://127.0.0.1:{server.port}", FROM, back).send(LETTER)
    ((sender, _, message),) = server.got
    assert sender == back and message["From"].addresses[0].addr_spec == FROM


async def test_a_repeat_has_the_same_message_id(server: MailServer) -> None:
    assert await smtp(server).send(LETTER) == await smtp(server).send(LETTER)


@pytest.mark.parametrize(
    ("verb", "answer", "kind"),
    [
        ("RCPT", "550 5.1.1 no such user", ports.AddressDead),
        ("RCPT", "550 5.7.1 blocked by a list", ports.OutsideRefused),
        ("RCPT", "451 4.7.1 greylisted", ports.OutsideUnavailable),
        ("END", "554 5.6.0 not wanted", ports.OutsideRefused),
        ("END", "452 4.3.1 disk full", ports.OutsideUnavailable),
        ("MAIL", "550 5.7.1 not your sender", ports.OutsideUnavailable),
        ("EHLO", "421 4.3.2 closing", ports.OutsideUnavailable),
    ],
)
async def test_what_the_server_refuses(
    server: MailServer, verb: str, answer: str, kind: type[Exception]
) -> None:
    server.says = {verb: answer, **({"HELO": answer} if verb == "EHLO" else {})}
    with pytest.raises(kind) as refused:
        await smtp(server, total_seconds=2).send(LETTER)
    assert type(refused.value) is kind and server.got == []


async def test_silence_before_the_words_means_not_taken(server: MailServer) -> None:
    server.silent_at = "RCPT"
    with pytest.raises(ports.OutsideUnavailable) as failed:
        await smtp(server, total_seconds=0.9).send(LETTER)
    assert not isinstance(failed.value, ports.OutcomeUnknown)


async def test_silence_after_the_words_leaves_it_unknown(server: MailServer) -> None:
    server.silent_at = "END"
    with pytest.raises(ports.OutcomeUnknown):
        await smtp(server, total_seconds=0.9).send(LETTER)


async def test_nobody_there_means_not_taken(
    server: MailServer, allow: Callable[[str], None]
) -> None:
    allow("smtp://127.0.0.1:9")
    with pytest.raises(ports.OutsideUnavailable):
        await Smtp("smtp://127.0.0.1:9", FROM).send(LETTER)


async def test_a_private_address_that_nobody_named_is_not_called(
    server: MailServer, allow: Callable[[str], None]
) -> None:
    allow("https://elsewhere.example")
    with pytest.raises(ports.OutsideRefused):
        await smtp(server).send(LETTER)
    assert server.got == []


async def test_without_starttls_nothing_is_said(
    server: MailServer, allow: Callable[[str], None]
) -> None:
    # Its port may be private, but only named as smtps: then plain words are not allowed.
    allow(f"smtps://127.0.0.1:{server.port}")
    with pytest.raises(ports.OutsideUnavailable):
        await smtp(server).send(LETTER)
    assert server.got == []


async def test_an_address_with_a_line_break_is_refused(server: MailServer) -> None:
    with pytest.raises(ports.OutsideRefused):
        await smtp(server).send(replace(LETTER, to="a@b.example\r\nBcc: c@d.example"))
    assert server.got == []


async def test_no_network_in_a_transaction(server: MailServer) -> None:
    async with core_db.unit_of_work():
        with pytest.raises(CalledInTransaction):
            await smtp(server).send(LETTER)


@pytest.mark.parametrize("url", ["https://mail.example", "smtp://", "mail.example:25"])
def test_settings_that_name_no_server(url: str) -> None:
    with pytest.raises(BadSmtpSettings):
        Smtp(url, FROM)
