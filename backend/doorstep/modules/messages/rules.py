"""Pure decisions about messages: which texts exist, on which channels, in which language (C14).

The texts are data files, one per template; they are checked when the program starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import resources
from string import Formatter
from typing import Literal, NamedTuple

import msgspec

LANGUAGES = ("en", "hi", "ar")

Channel = Literal["sms", "whatsapp", "email"]

CHANNELS: tuple[Channel, ...] = ("sms", "whatsapp", "email")

SECRET = "{secret}"  # noqa: S105 - the mark that stands in a stored body, not a secret.
"""Stands in the stored body where the tracking link or the handover code goes at sending."""


ESSENTIAL = frozenset({"code", "link", "sentence", "window"})
"""Placeholders for whose sake a message is sent: own words of a company must have them too."""


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one message says; `subject` only in an e-mail.

    `provider_template` names these words at a provider who sends only words that he knows.
    """

    body: str
    subject: str = ""
    provider_template: str = ""


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message in every language, per channel; `version` grows when the words change."""

    version: int
    sms: dict[str, Text] = {}
    email: dict[str, Text] = {}

    def texts(self, channel: Channel) -> dict[str, Text]:
        """Give the texts of one channel by language; WhatsApp says what an SMS says."""
        return self.email if channel == "email" else self.sms


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told when something happens; `about` decides how often: per order, parcel and so on.

    Of `chain` the first possible channel is used, the next where no receipt comes within
    `receipt_minutes`; `channels` are told beside it. After `valid_minutes` it is no news any more.
    """

    template: str
    about: Literal["order", "parcel", "purchase_order", "problem", "visit", "reply"]
    channels: tuple[Channel, ...] = ()
    chain: tuple[Channel, ...] = ()
    valid_minutes: int = 1440
    receipt_minutes: int = 60
    quiet: bool = False
    """It can wait until the morning."""
    asked_for: bool = False
    """The reader has just asked for it: it is sent whatever he has opted out of."""
    no_loss: bool = False
    """Sent again where nobody can say whether it was: twice is better than never."""
    replies: bool = False
    """It answers on the channel on which it was asked."""


class Rendered(NamedTuple):
    """A message ready to be stored."""

    subject: str
    body: str
    version: int
    provider_template: str
    parameters: list[str]


class BadTemplates(ValueError):
    """A template lacks a language, or two languages have other placeholders; nothing starts."""


class UnknownEvent(KeyError):
    """No message is defined for this event: a programming error."""


def language_of(languages: Sequence[str]) -> str:
    """Pick the first of a person's languages that texts are written in, or English."""
    return next((one for one in languages if one in LANGUAGES), "en")


def placeholders(text: Text) -> frozenset[str]:
    """List what a text wants filled in, in subject and body."""
    return frozenset(in_order(text.subject + text.body))


def in_order(words: str) -> list[str]:
    """List the placeholders of some words, each once, as they come.

    Raises: ValueError for broken braces.
    """
    found = [name for _, name, _, _ in Formatter().parse(words) if name is not None]
    return list(dict.fromkeys(found))


def check(events: Mapping[str, Event], templates: Mapping[str, Template]) -> None:
    """Refuse texts that could not be sent to somebody.

    Raises: BadTemplates naming what is wrong.
    """
    for name, template in templates.items():
        for channel, texts in (("sms", template.sms), ("email", template.email)):
            if texts and set(texts) != set(LANGUAGES):
                raise BadTemplates(f"{name} {channel} lacks a language")
            if len({placeholders(text) for text in texts.values()}) > 1:
                raise BadTemplates(f"{name} {channel} has other placeholders in some language")
            if any((channel == "email") != bool(text.subject) for text in texts.values()):
                raise BadTemplates(f"{name} {channel}: an e-mail has a subject, nothing else has")
    for event, told in events.items():
        template_of_event = templates.get(told.template)
        if template_of_event is None:
            raise BadTemplates(f"{event} names the template {told.template}, which is not there")
        if not (told.channels or told.chain or told.replies) or told.valid_minutes < 1:
            raise BadTemplates(f"{event} is told nowhere, or never")
        if set(told.channels) & set(told.chain):
            raise BadTemplates(f"{event} has a channel both in its chain and beside it")
        wanted = {*told.channels, *told.chain, *(("sms", "whatsapp") if told.replies else ())}
        for channel_name in wanted:
            if not template_of_event.texts(channel_name):
                raise BadTemplates(f"{told.template} has no text for {channel_name}")


def _read(name: str) -> bytes:
    return resources.files(__package__).joinpath(f"texts/{name}.json").read_bytes()


def _load() -> tuple[dict[str, Event], dict[str, Template]]:
    events = msgspec.json.decode(_read("events"), type=dict[str, Event])
    # Sorted, so that every process lists them alike.
    names = sorted({told.template for told in events.values()})
    templates = {name: msgspec.json.decode(_read(name), type=Template) for name in names}
    check(events, templates)
    return events, templates


EVENTS, TEMPLATES = _load()


def event(name: str) -> Event:
    """Find what is told about an event.

    Raises: UnknownEvent.
    """
    try:
        return EVENTS[name]
    except KeyError:
        raise UnknownEvent(name) from None


def shipped(template: str, channel: Channel, language: str) -> tuple[Text, int]:
    """Give the words that are shipped, with their version; English stands in where there are none.

    At WhatsApp they are known by the template's name and version, unless the company says otherwise.
    """
    known = TEMPLATES[template]
    texts = known.texts(channel)
    text = texts.get(language, texts["en"])
    if channel == "whatsapp" and not text.provider_template:
        text = msgspec.structs.replace(text, provider_template=f"{template}_v{known.version}")
    return text, known.version


def render(text: Text, version: int, facts: Mapping[str, str]) -> Rendered:
    """Fill the facts in, and list them as a provider wants them who has the words himself.

    Raises: KeyError for a fact that the text needs and `facts` lacks.
    """
    return Rendered(
        text.subject.format_map(facts),
        text.body.format_map(facts),
        version,
        text.provider_template,
        [facts[name] for name in in_order(text.body)],
    )
