"""A company's own words: what is taken, what is refused and why, in words."""

from __future__ import annotations

from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.modules.messages import rules, template_rules
from doorstep.modules.messages.rules import CHANNELS, LANGUAGES, TEMPLATES, Channel, Text
from doorstep.modules.messages.template_rules import NoSuchTemplate, TemplateNotValid

ALL = [
    (name, channel) for name in TEMPLATES for channel in CHANNELS if TEMPLATES[name].texts(channel)
]


def texts(body: str, subject: str = "") -> dict[str, Text]:
    return dict.fromkeys(LANGUAGES, Text(body=body, subject=subject))


@pytest.mark.parametrize(("name", "channel"), ALL)
def test_the_shipped_words_are_taken_and_can_be_shown(name: str, channel: Channel) -> None:
    shipped = {one: rules.shipped(name, channel, one)[0] for one in LANGUAGES}
    template_rules.check_texts(name, channel, shipped)
    for text in shipped.values():
        subject, body = template_rules.preview(text, "Doorstep")
        assert "{" not in subject + body
        assert bool(subject) == (channel == "email")


@pytest.mark.parametrize(
    ("given_texts", "why"),
    [
        (texts("{sentence} {gift}"), "{gift} is unknown"),
        (texts("{sentence} {company.__class__}"), "{company.__class__} is unknown"),
        (texts("{sentence} {company!r}"), "{company!r} is unknown"),
        (texts("{sentence} {company:>9}"), "{company:>9} is unknown"),
        (texts("{sentence} {secret}"), "{secret} is unknown"),
        (texts("{sentence} {}"), "{} is unknown"),
        (texts("{sentence"), "broken braces"),
        (texts("sentence}"), "broken braces"),
        (texts("Good news."), "{sentence} is missing"),
        (texts("{sentence}", "Subject"), "an e-mail has a subject"),
        ({"en": Text(body="{sentence}")}, "missing in ar, hi"),
        (texts("{sentence}") | {"ar": Text(body="{sentence} {company}")}, "{company} is not used"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(given_texts: dict[str, Text], why: str) -> None:
    with pytest.raises(TemplateNotValid) as refused:
        template_rules.check_texts("milestone", "sms", given_texts)
    assert why in refused.value.detail


@pytest.mark.parametrize(
    ("name", "channel"), [("nothing", "sms"), ("handover_code", "email"), ("ticket_reply", "sms")]
)
def test_what_is_not_told_there_has_no_words(name: str, channel: Channel) -> None:
    with pytest.raises(NoSuchTemplate):
        template_rules.check_texts(name, channel, texts("x"))


@given(st.text(alphabet="{}abcsentence!:. \n", max_size=40))
def test_whatever_is_taken_can_be_filled_in(words: str) -> None:
    """No text passes the check that would fail, or say something of ours, when it is sent."""
    own = texts("{sentence} " + words)
    try:
        template_rules.check_texts("milestone", "sms", own)
    except TemplateNotValid:
        return
    _, body = template_rules.preview(own["en"], "Doorstep")
    assert template_rules.SAMPLES["sentence"] in body
    assert {name for _, name, _, _ in Formatter().parse(own["en"].body) if name} == {"sentence"}


def test_parameters_come_in_the_order_of_the_words() -> None:
    text = Text(body="{b} and {a} and {b}", provider_template="x_v1")
    filled = rules.render(text, 3, {"a": "one", "b": "two"})
    assert (filled.body, filled.parameters) == ("two and one and two", ["two", "one"])
    assert (filled.version, filled.provider_template) == (3, "x_v1")


def test_whatsapp_says_what_an_sms_says_under_a_name() -> None:
    text, version = rules.shipped("milestone", "whatsapp", "hi")
    assert text.body == rules.shipped("milestone", "sms", "hi")[0].body
    assert text.provider_template == f"milestone_v{version}"
