"""A proof that was not accepted: its person is told why, says why it should count, hears what comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import db as core_db
from tests.factories.captures import capture
from tests.factories.company import Company, picture
from tests.factories.floor import later, ok
from tests.factories.journeys import Order, standing
from tests.factories.pulls import Pocket
from tests.factories.steps import healthy
from tests.factories.sync import Phone

WORDS = "She read me the code of her other parcel."


async def proof_of(company: Company) -> dict[str, Any] | None:
    """Tell what the courier's phone holds of the one proof there is."""
    pocket = Pocket(company, "delivery")
    await pocket.pull()
    found: list[dict[str, Any]] = pocket.of("proof")
    return found[0] if found else None


async def told(company: Company) -> dict[str, Any]:
    found = await proof_of(company)
    assert found is not None
    return found


async def refused(company: Company, **wrong: Any) -> tuple[Order, str]:
    """Have a proof that is not accepted; return its order and the path of its appeals."""
    order = await standing(company, 1012)
    answer = await order.take(await order.pod(**(wrong or {"handover_code": "000001"})))
    assert answer.status_code in (200, 202), answer.text
    await company.work()
    pod = await core_db.value("SELECT id FROM pod")
    return order, f"/field/pods/{pod}/appeals"


async def question(company: Company) -> dict[str, Any]:
    """The one problem that is open about a proof."""
    found: list[dict[str, Any]] = await company.get("dispatcher", "/problems")
    kinds = ("pod_failed", "pod_doubtful", "pod_incomplete", "handover_code_wrong")
    [one] = [one for one in found if one["kind"] in kinds]
    return one


async def close(company: Company, words: str) -> None:
    path = f"/problems/{(await question(company))['id']}/close"
    await ok(company, "dispatcher", path, {"words": words})


async def test_an_appeal_joins_the_question_and_a_yes_is_told(company: Company, clock: Any) -> None:
    _order, path = await refused(company)
    seen = await told(company)
    assert (seen["counts"], seen["standing"]) == (False, None)
    assert [one["code"] for one in seen["findings"]] == ["wrong_code"]
    assert seen["phone"] == await core_db.value("SELECT phone FROM address")
    asked = await question(company)
    photo = picture()
    body = capture(words=WORDS, photos=[{"slot": "appeal", "sha256": photo}])
    for _ in range(2):
        assert (await ok(company, "delivery", path, body))["verdict"] == "applied"
    again = await question(company)
    assert again["id"] == asked["id"] and again["reason"].count(WORDS) == 1
    [word] = await company.get("dispatcher", f"/problems/{asked['id']}/words")
    assert (word["kind"], word["photos"][0]["sha256"]) == ("appeal", photo)
    assert (await told(company))["standing"] == "appealed"
    await later(company, clock, timedelta(days=3))
    await ok(company, "dispatcher", path.replace("field", "console").replace("appeals", "accept"),
             {"reason": "The customer has it."})  # fmt: skip
    seen = await told(company)
    assert (seen["counts"], seen["standing"], seen["phone"]) == (True, "overturned", None)
    assert seen["decision"] == "The customer has it."
    await later(company, clock, timedelta(hours=25))
    assert await proof_of(company) is None
    await healthy()


async def test_the_right_code_told_later_makes_a_proof_good(company: Company) -> None:
    order, path = await refused(company)
    code = company.told(r"(?<!\d)(\d{6})(?!\d)", order.number)
    holds = "SELECT count(*) FROM pod WHERE hold_reason IS NOT NULL AND hold_lifted_at IS NULL"
    assert await core_db.value(holds) == 1
    # Neither a reason nor a code says nothing.
    assert (await company.send("delivery", path, capture())).status_code == 422
    wrong = capture(handover_code=str((int(code) + 1) % 1_000_000).zfill(6))
    for _ in range(2):
        assert (await ok(company, "delivery", path, wrong))["verdict"] == "applied"
    assert "is not right either" in (await question(company))["reason"]
    tries = "SELECT failed_tries FROM handover_code"
    assert await core_db.value(tries) == 2, "the same event again is no further guess"
    assert (await told(company))["standing"] == "appealed"
    answer = await ok(company, "delivery", path, capture(handover_code=code))
    assert answer["reason"] == "The code that was told later is right."
    seen = await told(company)
    assert (seen["counts"], seen["standing"], seen["findings"]) == (True, "overturned", [])
    assert await core_db.value(holds) == 0
    assert await core_db.value("SELECT count(*) FROM problem WHERE closed_at IS NULL") == 0
    again = await ok(company, "delivery", path, capture(handover_code=code))
    assert again["reason"] == "The proof counts already."
    await healthy()


async def test_a_code_told_later_does_not_help_what_lacks_more(company: Company) -> None:
    order, path = await refused(company, handover_code="000001", scanned_labels=[])
    code = company.told(r"(?<!\d)(\d{6})(?!\d)", order.number)
    await ok(company, "delivery", path, capture(handover_code=code))
    seen = await told(company)
    assert (seen["counts"], seen["missing"], seen["findings"]) == (False, ["scan"], [])
    assert (await question(company))["kind"] == "pod_incomplete"


async def test_a_no_is_told_with_its_words_and_may_be_asked_about_for_a_week(
    company: Company, clock: Any
) -> None:
    _order, path = await refused(company, scanned_labels=[])
    seen = await told(company)
    assert (seen["counts"], seen["missing"]) == (False, ["scan"])
    await ok(company, "delivery", path, capture(words=WORDS))
    await close(company, "The label was never scanned.")
    seen = await told(company)
    assert (seen["standing"], seen["decision"]) == ("upheld", "The label was never scanned.")
    assert not seen["counts"]
    await later(company, clock, timedelta(days=6))
    assert await proof_of(company) is None, "decided more than a day ago"
    await ok(company, "delivery", path, capture(words="It was torn off."))
    asked = await question(company)
    assert asked["kind"] == "pod_incomplete" and "It was torn off." in asked["reason"]
    assert (await told(company))["standing"] == "appealed"
    await close(company, "It stays so.")
    await later(company, clock, timedelta(days=8))
    late = await company.send("delivery", path, capture(words="Once more."))
    assert (late.status_code, late.json()["type"].rsplit("/")[-1]) == (409, "appeal-too-late")
    phone = Phone(company, "delivery")
    [receipt] = await phone.push(phone.of(path, capture(words="Once more.")))
    assert receipt["verdict"] == "review", "what a phone says is kept all the same"


async def test_what_was_not_accepted_stays_on_the_phone_until_it_is_decided(
    company: Company, clock: Any
) -> None:
    await refused(company)
    await later(company, clock, timedelta(days=29))
    assert (await told(company))["counts"] is False
    await later(company, clock, timedelta(days=2))
    assert await proof_of(company) is None


async def test_nobody_appeals_for_another(company: Company) -> None:
    _order, path = await refused(company)
    assert (await company.send("courier", path, capture(words=WORDS))).status_code == 404
    assert (await told(company))["standing"] is None


async def test_an_appeal_for_what_counts_already_asks_nobody(company: Company) -> None:
    order = await standing(company, 1012)
    await order.take_well(await order.pod())
    pod = await core_db.value("SELECT id FROM pod")
    answer = await ok(company, "delivery", f"/field/pods/{pod}/appeals", capture(words=WORDS))
    assert answer["reason"] == "The proof counts already."
    assert await core_db.value("SELECT count(*) FROM problem WHERE ref = $1", str(pod)) == 0
    assert (await told(company))["counts"]
