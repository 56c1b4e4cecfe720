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

Channel = Literal["sms", "email"]

SECRET = "{secret}"  # noqa: S105 - the mark that stands in a stored body, not a secret.
"""Stands in the stored body where the tracking link or the handover code goes at sending."""


class Text(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one message says; `subject` only in an e-mail."""

    body: str
    subject: str = ""


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message in every language, per channel; `version` grows when the words change."""

    version: int
    sms: dict[str, Text] = {}
    email: dict[str, Text] = {}

    def texts(self, channel: Channel) -> dict[str, Text]:
        """Give the texts of one channel by language."""
        return self.sms if channel == "sms" else self.email


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told when something happens; `about` decides how often: per order, parcel and so on."""

    template: str
    about: Literal["order", "parcel", "purchase_order", "problem", "visit"]
    channels: tuple[Channel, ...]


class Rendered(NamedTuple):
    """A message ready to be stored."""

    subject: str
    body: str
    version: int


class BadTemplates(ValueError):
    """A template lacks a language, or two languages have other placeholders; nothing starts."""


class UnknownEvent(KeyError):
    """No message is defined for this event: a programming error."""


def language_of(languages: Sequence[str]) -> str:
    """Pick the first of a person's languages that texts are written in, or English."""
    return next((one for one in languages if one in LANGUAGES), "en")


def placeholders(text: Text) -> frozenset[str]:
    """List what a text wants filled in, in subject and body."""
    found = Formatter().parse(text.subject + text.body)
    return frozenset(name for _, name, _, _ in found if name is not None)


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
        for channel_name in told.channels:
            if not template_of_event.texts(channel_name):
                raise BadTemplates(f"{told.template} has no text for {channel_name}")


def _read(name: str) -> bytes:
    return resources.files(__package__).joinpath(f"texts/{name}.json").read_bytes()


def _load() -> tuple[dict[str, Event], dict[str, Template]]:
    events = msgspec.json.decode(_read("events"), type=dict[str, Event])
    names = {told.template for told in events.values()}
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


def render(name: str, channel: Channel, language: str, facts: Mapping[str, str]) -> Rendered:
    """Write a message about an event in a language; English stands in for one without texts.

    Raises: UnknownEvent; KeyError for a fact that the text needs and `facts` lacks.
    """
    template = TEMPLATES[event(name).template]
    texts = template.texts(channel)
    text = texts.get(language, texts["en"])
    return Rendered(text.subject.format_map(facts), text.body.format_map(facts), template.version)
