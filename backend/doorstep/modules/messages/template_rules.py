"""Whether a company's own words can stand in place of the shipped ones, and what they look like (C14)."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from doorstep.core.errors import Invalid, NotFound
from doorstep.modules.messages import rules
from doorstep.modules.messages.rules import Channel, Text


class NoSuchTemplate(NotFound):
    """The name is none of the templates that are shipped, or it is not told on this channel."""

    title = "There is no such template on this channel."


class TemplateNotValid(Invalid):
    """The words could not be filled in, or would leave out what the message is for."""

    title = "These words cannot be sent."


SAMPLES: Mapping[str, str] = {
    "action": "Call the customer.",
    "answer_due": "2026-11-28 12:00",
    "care": "",
    "code": "482915",
    "due": "2026-11-28 12:00",
    "goods": " (1 × Washing machine 7 kg)",
    "level": "2",
    "link": "https://shop.example/track/sample",
    "missing": "the floor, whether there is a lift",
    "number": "T-1042",
    "order_number": "DS-100042",
    "owner": "support",
    "place": "Al Barsha, Dubai",
    "po_number": "PO-2042",
    "reason": "The van is late.",
    "sentence": "Delivery executive assigned.",
    "title": "Out For Delivery",
    "total": "AED 3,148.00",
    "visit": "",
    "when": "Tuesday 1 December, 10:00",
    "window": "Tuesday 1 December, 10:00 – 12:00",
    "words": "Thank you, we have found it.",
}
"""What a preview fills in; the company's name comes from the settings."""


def allowed(template: str) -> frozenset[str]:
    """List what may be filled into a template: all that any of its shipped texts uses."""
    known = rules.TEMPLATES[template]
    texts = [*known.sms.values(), *known.email.values()]
    return frozenset().union(*map(rules.placeholders, texts))


def check_texts(template: str, channel: Channel, texts: Mapping[str, Text]) -> None:
    """Make sure that a company's words can be sent to everybody.

    Raises: NoSuchTemplate; TemplateNotValid naming what is wrong, in which language.
    """
    known = rules.TEMPLATES.get(template)
    if known is None or not known.texts(channel):
        raise NoSuchTemplate(f"{template} {channel}")
    if missing := sorted(set(rules.LANGUAGES) - set(texts)):
        raise TemplateNotValid(f"Words are missing in {', '.join(missing)}.")
    essential = rules.placeholders(known.texts(channel)["en"]) & rules.ESSENTIAL
    first: frozenset[str] | None = None
    for language in rules.LANGUAGES:
        text = texts[language]
        found = _checked(text, language, allowed(template))
        if lacking := sorted(essential - found):
            raise TemplateNotValid(
                f"{language}: {{{lacking[0]}}} is missing.", placeholder=lacking[0]
            )
        if (channel == "email") != bool(text.subject):
            raise TemplateNotValid(f"{language}: an e-mail has a subject, nothing else has.")
        if first is not None and found != first:
            odd = sorted(found ^ first)[0]
            raise TemplateNotValid(
                f"{language}: {{{odd}}} is not used in every language.", placeholder=odd
            )
        first = found


def _checked(text: Text, language: str, known: frozenset[str]) -> frozenset[str]:
    found = set()
    for words in (text.subject, text.body):
        try:
            parts = list(Formatter().parse(words))
        except ValueError as broken:
            raise TemplateNotValid(f"{language}: broken braces ({broken}).") from broken
        for _, name, style, conversion in parts:
            if name is None:
                continue
            if name not in known or style or conversion:
                odd = (
                    name + (f"!{conversion}" if conversion else "") + (f":{style}" if style else "")
                )
                raise TemplateNotValid(f"{language}: {{{odd}}} is unknown.", placeholder=odd)
            found.add(name)
    return frozenset(found)


def preview(text: Text, company: str) -> tuple[str, str]:
    """Fill samples into words that were checked: (subject, body)."""
    filled = rules.render(text, 0, {**SAMPLES, "company": company})
    return filled.subject, filled.body
