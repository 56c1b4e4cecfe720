"""What a lock screen says: in the reader's language, small, and nothing about anybody."""

from __future__ import annotations

import re

import msgspec
import pytest

from doorstep.core.ids import uuid7
from doorstep.modules.push import rules

BASE = "https://door.example"
LANE = f"stop:{uuid7()}"


@pytest.mark.parametrize("name", sorted(rules.KINDS))
def test_every_kind_fits_in_every_language_and_names_nobody(name: str) -> None:
    for language in rules.LANGUAGES:
        body = rules.payload(uuid7(), name, "x" * 100, language, base_url=BASE + "/" * 60)
        assert len(body) < rules.MOST_BYTES
        words = rules.KINDS[name].texts[language]
        assert not re.search(r"[0-9{}@]", words.title + words.body)
    texts = {one.body for one in rules.KINDS[name].texts.values()}
    assert len(texts) == len(rules.LANGUAGES), "a language was not translated"


def test_a_message_is_declarative_and_opens_its_lane() -> None:
    message_id = uuid7()
    found = msgspec.json.decode(
        rules.payload(message_id, "work_taken", LANE, "ur", base_url=BASE + "/")
    )
    assert (found["web_push"], found["mutable"]) == (8030, True)
    seen = found["notification"]
    words = rules.KINDS["work_taken"].texts["ur"]
    assert (seen["title"], seen["body"], seen["dir"], seen["lang"]) == (
        words.title, words.body, "rtl", "ur",
    )  # fmt: skip
    assert seen["tag"] == LANE
    assert seen["data"] == {"id": str(message_id), "kind": "work_taken", "lane": LANE}
    lane = LANE.replace(":", "%3A")
    assert seen["navigate"] == f"{BASE}/app/?lane={lane}&push={message_id}"


def test_a_topic_is_one_that_push_services_take() -> None:
    assert rules.topic(LANE) == rules.topic(LANE) != rules.topic("run:1")
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", rules.topic(LANE))


def test_the_first_language_that_is_written_counts() -> None:
    assert rules.language_of(["fr", "ml", "en"]) == "ml"
    assert rules.language_of([]) == rules.language_of(["fr"]) == "en"


def test_texts_that_nobody_could_read_or_that_could_tell_too_much_start_nothing() -> None:
    good = rules.KINDS["run_planned"]
    without = {k: v for k, v in good.texts.items() if k != "bn"}
    with pytest.raises(rules.BadKinds, match="language"):
        rules.check({"x": msgspec.structs.replace(good, texts=without)})
    telling = good.texts | {"en": rules.Words(title="For {name}", body="b")}
    with pytest.raises(rules.BadKinds, match="place to fill in"):
        rules.check({"x": msgspec.structs.replace(good, texts=telling)})
    with pytest.raises(rules.UnknownKind):
        rules.kind("no_such_kind")
