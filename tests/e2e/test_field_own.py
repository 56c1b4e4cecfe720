"""What everybody in the field has beside the jobs: words, what was wrong, proofs not accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page, Playwright, expect

from doorstep.play.visitors import Company, until
from tests.e2e.test_field_delivery import labels_of
from tests.support.field_app import phone
from tests.support.field_face import (
    PIN,
    Screens,
    code_for,
    company,
    enrol,
    on_the_way,
    open_face,
    whole_app_on_the_phone,
)
from tests.support.field_hands import look_for_news, take_photo, unlock, up_to_the_money
from tests.support.pictures import make_jpeg
from tests.support.whole_stack import WholeStack


async def say(
    page: Page, form: str, words: str, finish: str, screens: Screens | None = None
) -> None:
    """Open a form and say something in it."""
    await page.get_by_role("link", name=form).click()
    if form == "Report a problem":
        await page.get_by_role("button", name="The address").click()
    # What hands it in is there while somebody types.
    await page.get_by_role("textbox").fill(words)
    if screens is not None:
        await screens.look("said")
    await page.get_by_role("button", name=finish).click()


async def asked(people: Company, kind: str, order_id: str) -> dict[str, Any]:
    """Wait until a desk has been asked about an order."""
    desk = await people.person(people.find("dispatcher"))

    async def found() -> dict[str, Any] | None:
        rows = await desk.get("/problems", kind=kind, order_id=order_id)
        return rows[0] if rows else None

    return await until(found, f"the problem {kind}")


async def test_words_amendments_and_appeals_go_through_the_screens(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=21)
        order_id = (await parcel.order.order())["id"]
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            screens = Screens(page, tmp_path)
            await enrol(page, await code_for(own, "delivery"))
            await expect(page.get_by_role("link", name=parcel.order.number)).to_be_visible()
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await page.get_by_role("link", name=parcel.order.number).click()
            await expect(page.get_by_role("heading", name="Something to say?")).to_be_visible()
            await screens.look("job")
            await say(page, "Leave a note", "Use the back gate.", "Save the note")
            # A note is no step of the job: it is still to be delivered.
            await expect(page.get_by_role("link", name="Hand over")).to_be_visible()
            await say(page, "Report a problem", "The road is closed.", "Report it", screens)

            # Nothing but the receiver is captured: a desk will not accept it.
            await page.get_by_role("link", name="Cannot deliver").click()
            await page.get_by_role("button", name="Nobody home").click()
            await page.get_by_role("button", name="Yes").click()
            await take_photo(page, "The door", make_jpeg(1200, 900))
            await page.get_by_role("button", name="Not delivered").click()
            await page.get_by_role("link", name=parcel.order.number).click()
            amend = page.get_by_role("link", name="Tell the office what was wrong")
            await expect(amend).to_be_visible()
            await say(
                page, "Tell the office what was wrong", "It was the wrong door.", "Tell the office"
            )
            await context.set_offline(False)
            assert (await asked(people, "field_problem", order_id))["reason"] == (
                "The road is closed."
            )
            amended = await asked(people, "capture_amended", order_id)
            assert amended["reason"] == "It was the wrong door."
            desk = await people.person(people.find("dispatcher"))
            words = await desk.get(f"/console/orders/{order_id}/words")
            assert [one["kind"] for one in words] == ["note", "problem", "amendment"]


async def test_a_proof_that_was_not_accepted_is_appealed_and_its_decision_is_read(
    alone: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(alone) as people:
        parcel = await on_the_way(people, number=22)
        order_id = (await parcel.order.order())["id"]
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, alone)
            screens = Screens(page, tmp_path)
            await enrol(page, await code_for(alone, "delivery"))
            await hand_over_badly(page, parcel.order.number)
            await asked(people, "pod_incomplete", order_id)

            await page.goto(f"{alone.base_url}/app/#/")
            refused = page.get_by_role("link", name="1 proof was not accepted")
            await expect(refused).to_be_visible()
            await screens.look("today")
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await refused.click()
            await expect(page.get_by_role("heading", name="Not accepted")).to_be_visible()
            await screens.look("proofs")
            await page.evaluate("location.hash = '#/earnings'")
            await expect(page.get_by_text("earns nothing yet")).to_be_visible()
            await page.go_back()
            await say(
                page, "Say why it should count", "The label was torn.", "Send it to the office"
            )
            await expect(
                page.get_by_role("heading", name="Answered: the office looks at it")
            ).to_be_visible()
            await screens.look("said")
            await context.set_offline(False)
            desk = await people.person(people.find("dispatcher"))

            async def heard() -> dict[str, Any] | None:
                problem = await asked(people, "pod_incomplete", order_id)
                return problem if "The label was torn." in problem["reason"] else None

            problem = await until(heard, "the appeal")
            await desk.post(f"/problems/{problem['id']}/close", {"words": "Nobody signed for it."})
            await page.goto(f"{alone.base_url}/app/#/sending")
            await look_for_news(page)
            await page.goto(f"{alone.base_url}/app/#/proofs")
            await expect(page.get_by_text("Nobody signed for it.")).to_be_visible()
            await screens.look("decided")


async def test_the_right_code_told_later_makes_a_proof_count(
    alone: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(alone) as people:
        parcel = await on_the_way(people, number=22)
        order_id = (await parcel.order.order())["id"]
        code = await parcel.order.handover_code()
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, alone)
            screens = Screens(page, tmp_path)
            await enrol(page, await code_for(alone, "delivery"))
            await page.get_by_role("link", name=parcel.order.number).click()
            await page.get_by_role("link", name="Hand over").click()
            await up_to_the_money(page, await labels_of(parcel))
            await page.get_by_role("button", name="in cash").click()
            said = page.get_by_label("The customer's code")
            await said.fill(code[:-1] + str((int(code[-1]) + 1) % 10))
            doubted = page.get_by_role("button", name="Handed over – without: Code")
            await expect(doubted).to_be_visible()
            # Nothing of it is left to be corrected digit by digit: each six digits are a try.
            await expect(said).to_have_value("")
            await expect(page.get_by_role("navigation")).to_contain_text("✗")
            # The same code once more is not asked again, and costs no try.
            told = (
                await page.get_by_text("try left").or_(page.get_by_text("tries left")).inner_text()
            )
            await said.fill(code[:-1] + str((int(code[-1]) + 1) % 10))
            await expect(page.get_by_text(told)).to_be_visible()
            await page.get_by_role("button", name="Send the code to the customer again").click()
            await expect(page.get_by_text("Sent: the customer gets a message")).to_be_visible()
            # The phone still knows that it was wrong when its page was thrown away.
            await page.reload()
            await unlock(page, PIN)
            await doubted.click()
            await asked(people, "handover_code_wrong", order_id)

            await page.goto(f"{alone.base_url}/app/#/sending")
            await look_for_news(page)
            await page.goto(f"{alone.base_url}/app/#/")
            await expect(page.get_by_text("1 photo · Code wrong")).to_be_visible()
            await screens.look("today")
            # Another screen begins at its top, from however far down it was opened.
            await page.get_by_role("link", name="Report a problem").click()
            await expect(page.get_by_role("heading", name="What is it about?")).to_be_visible()
            assert await page.evaluate("scrollY") == 0
            await page.go_back()
            await page.locator("a.card").filter(has_text="Not accepted").click()
            await screens.look("over")
            # What the office has is amended from here: it is not on any list of work any more.
            await say(
                page, "Tell the office what was wrong", "It was the blue door.", "Tell the office"
            )
            await asked(people, "capture_amended", order_id)
            await expect(page.get_by_text("It was the blue door.")).to_be_visible()
            await page.get_by_role("link", name="Not accepted", exact=True).click()
            await expect(page.get_by_text("ask for the code and send it")).to_be_visible()
            await expect(page.get_by_role("link", name="Call")).to_be_visible()
            await page.get_by_role("link", name="Enter the code, or say why").click()
            await expect(page.get_by_text("Call the customer and ask")).to_be_visible()
            await screens.look("later")
            await said.fill(code)
            await expect(page.get_by_text("The code is right")).to_be_visible()
            await screens.look("right")
            await page.get_by_role("button", name="Send it to the office").click()

            desk = await people.person(people.find("dispatcher"))

            async def counts() -> bool | None:
                rows = await desk.get("/problems", kind="handover_code_wrong", order_id=order_id)
                return True if rows == [] else None

            assert await counts() is None
            await until(counts, "the end of the question")
            await page.goto(f"{alone.base_url}/app/#/sending")
            await look_for_news(page)
            await page.goto(f"{alone.base_url}/app/#/proofs")
            await expect(page.get_by_text("Decided: it counts")).to_be_visible()


async def hand_over_badly(page: Page, number: str) -> None:
    """Hand over without scanning or photographing anything."""
    await page.get_by_role("link", name=number).click()
    await page.get_by_role("link", name="Hand over").click()
    await page.get_by_role("button", name="· customer").click()
    for heading in ("Scan the pieces", "Photos"):
        await expect(page.get_by_role("heading", name=heading)).to_be_visible()
        await page.get_by_role("button", name=f"Go on without: {heading}").click()
        await expect(page.get_by_text(f"✓ Left out: {heading}")).to_be_visible()
    await page.get_by_role("button", name="in cash").click()
    await expect(page.get_by_text("counts, and earns, only once the office")).to_be_visible()
    await page.get_by_role("button", name="Go on without: Code").click()
    await page.get_by_role("button", name="Handed over").click()
    await expect(page.get_by_text("Done on this phone")).to_be_visible()
