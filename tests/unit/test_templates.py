"""The texts of messages: whole, in three languages, saying the same."""

from __future__ import annotations

import pytest

from doorstep.journey.stages import STAGES
from doorstep.modules.messages import rules
from doorstep.modules.messages.rules import Channel, Event, Rendered, Template, Text

FACTS = {
    "company": "Doorstep",
    "title": "Shipped",
    "sentence": "It is on its way.",
    "order_number": "DS-000042",
    "total": "AED 3,148.00",
    "link": rules.SECRET,
    "code": rules.SECRET,
    "missing": "the floor",
    "po_number": "PO-000007",
    "answer_due": "2026-11-24 15:00",
    "number": "TK-000012",
    "visit": " Your installation is on Monday.",
    "words": "We will send the part.",
    "level": "2",
    "reason": "The carrier is late.",
    "due": "2026-11-24 15:00",
    "owner": "admin",
    "action": "Ask the carrier.",
    "care": "",
    "window": "Tuesday 24 November, 14:00 – 16:00",
    "goods": " (1 × Kettle 1.7 l)",
    "place": "Al Barsha, Dubai",
    "when": "Tuesday 24 November, 14:00",
}


def written_for(name: str, channel: Channel, language: str) -> Rendered:
    """Write the shipped words of an event."""
    text, version = rules.shipped(rules.event(name).template, channel, language)
    return rules.render(text, version, FACTS)


def channels_of(name: str) -> set[Channel]:
    """List every channel on which an event may be told."""
    told = rules.event(name)
    answers: set[Channel] = {"sms", "whatsapp"} if told.replies else set()
    return {*told.channels, *told.chain} | answers


def in_all(body: str, subject: str = "") -> dict[str, Text]:
    return {language: Text(body=body, subject=subject) for language in rules.LANGUAGES}


def test_every_milestone_has_a_message_and_1004_and_1017_have_none() -> None:
    told = {name for name in rules.EVENTS if name.isdigit()}
    assert told == {str(stage.code) for stage in STAGES if stage.milestone}


@pytest.mark.parametrize("name", rules.EVENTS)
@pytest.mark.parametrize("language", rules.LANGUAGES)
def test_every_text_can_be_written_from_the_facts_there_are(name: str, language: str) -> None:
    for channel in channels_of(name):
        written = written_for(name, channel, language)
        assert written.body and (channel == "email") == bool(written.subject)
        assert "{" not in written.body.replace(rules.SECRET, "")


def test_only_what_opens_something_carries_a_link_or_a_code() -> None:
    secret = {
        name
        for name in rules.EVENTS
        for channel in channels_of(name)
        if rules.SECRET in written_for(name, channel, "en").body
    }
    assert secret == {
        "1001", "address_incomplete", "handover_code", "handover_code_again", "new_link", "new_owner_link",
        "owner_code", "sign_in_code", "warranty_transfer", "warranty_yours",
    }  # fmt: skip


def test_a_message_says_the_sentence_and_the_order_number() -> None:
    written = written_for("1009", "sms", "en")
    assert written.body == "Doorstep: It is on its way. Order DS-000042."


def test_a_language_without_texts_gets_english() -> None:
    assert written_for("1009", "sms", "fr") == written_for("1009", "sms", "en")


def test_an_unknown_event_is_a_programming_error() -> None:
    with pytest.raises(rules.UnknownEvent):
        written_for("1004", "sms", "en")


@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        (Template(version=1, sms={"en": Text(body="x")}), "lacks a language"),
        (
            Template(version=1, sms=in_all("{a}") | {"hi": Text(body="{b}")}),
            "other placeholders",
        ),
        (Template(version=1, email=in_all("x")), "has a subject"),
        (Template(version=1, email=in_all("x", "y")), "no text for sms"),
    ],
)
def test_texts_that_could_not_be_sent_stop_the_program(template: Template, wrong: str) -> None:
    told = {"1001": Event(template="t", about="order", channels=("sms",))}
    with pytest.raises(rules.BadTemplates, match=wrong):
        rules.check(told, {"t": template})


def test_a_channel_both_in_the_chain_and_beside_it_stops_the_program() -> None:
    told = {"1001": Event(template="t", about="order", channels=("sms",), chain=("sms",))}
    with pytest.raises(rules.BadTemplates, match="beside"):
        rules.check(told, {"t": Template(version=1, sms=in_all("x"))})


def test_an_event_that_is_told_nowhere_stops_the_program() -> None:
    told = {"1001": Event(template="t", about="order")}
    with pytest.raises(rules.BadTemplates, match="nowhere"):
        rules.check(told, {"t": Template(version=1, sms=in_all("x"))})


def test_an_event_without_its_template_stops_the_program() -> None:
    told = {"1001": Event(template="gone", about="order", channels=("sms",))}
    with pytest.raises(rules.BadTemplates, match="gone"):
        rules.check(told, {})
