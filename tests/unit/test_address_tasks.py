"""When nobody has to ask for an address any more, and in which words it is asked for."""

from __future__ import annotations

import pytest

from doorstep.flows.address_tasks import Standing, why_over
from doorstep.modules.crm import rules
from doorstep.modules.messages.address_words import address_words
from doorstep.modules.messages.rules import LANGUAGES

ASKED = Standing("DS-1", ["lift"], travels=True, lives=True, asked=True, task_given=True)


def test_it_is_asked_for_while_something_lacks_and_goods_have_still_to_leave() -> None:
    assert why_over(ASKED) is None


@pytest.mark.parametrize(
    ("stands", "words"),
    [
        (ASKED._replace(lacking=[]), "The address is complete."),
        (ASKED._replace(lacking=[], travels=False), "The address is complete."),
        (ASKED._replace(travels=False), "The goods have left without it."),
        (
            ASKED._replace(travels=False, lives=False),
            "Nothing of the order is on its way any more.",
        ),
    ],
)
def test_it_is_over_for_a_reason_in_words(stands: Standing, words: str) -> None:
    assert why_over(stands) == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_has_words_of_its_own_in_each_language(language: str) -> None:
    words = [address_words(language, [part]) for part in rules.ADDRESS_PARTS]
    assert len(set(words)) == len(words) and all(words)
    if language != "en":
        assert not any(word.isascii() for word in words)


def test_parts_are_listed_as_they_come_and_another_language_is_english() -> None:
    assert address_words("en", ["floor", "lift"]) == "the floor, whether there is a lift"
    assert address_words("ar", ["floor", "flat"]) == "الطابق، الشقة"
    assert address_words("fr", ["pin"]) == "where the door is on the map"
