"""The field app in Chromium: it opens without a signal, and new versions never take anything away."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, ignore_patterns

from playwright.async_api import Page, Playwright, expect

from tests.support.field_app import build, open_app, phone, until
from tests.support.field_face import code_for, enrol, open_face, whole_app_on_the_phone
from tests.support.whole_stack import WholeStack

KEEP = """new Promise((done) => {
  const asked = indexedDB.open('kept', 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore('s').put('a capture', 1);
  asked.onsuccess = () => { asked.result.close(); done(0); };
})"""
KEPT = """new Promise((done) => {
  const asked = indexedDB.open('kept');
  asked.onsuccess = () => {
    const found = asked.result.transaction('s').objectStore('s').get(1);
    found.onsuccess = () => { asked.result.close(); done(found.result); };
  };
})"""


async def version(page: Page) -> str:
    found: str = await page.evaluate("window.harness.version")
    return found


TAPS_UNTIL_IT_IS_TAKEN = """void (async () => {
  while ((await harness.updates.apply()) !== 'applied') {
    await new Promise((later) => setTimeout(later, 200));
  }
})()"""
"""What its person does: while something is sent the update says so, and is tapped again."""


PAGES = {"index.html", "harness.html"}

NONE_INSTALLS = """navigator.serviceWorker.getRegistration('/app/').then(
  (known) => known.installing === null
)"""


async def test_it_opens_without_a_signal_and_a_new_version_waits_for_a_yes(
    own: WholeStack, app: Path, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_app(context, own.base_url)
        first = await version(page)
        old_parts = set(
            await page.evaluate("performance.getEntriesByType('resource').map(r => r.name)")
        )
        await context.set_offline(True)
        await page.reload()
        assert await version(page) == first
        await context.set_offline(False)

        build(app, f"{first}+")
        await page.evaluate("void (window.release = harness.holdUnsaved())")
        await page.evaluate("harness.updates.check()")
        await until(page, "harness.ready === 1")
        assert await page.evaluate("harness.updates.apply()") == "unsaved"
        assert await version(page) == first
        # A page of the version before may still ask for its parts, past every cache.
        async with own.client() as visitor:
            for address in (one for one in old_parts if "/assets/" in one):
                answer = await visitor.get(address)
                assert answer.status_code == 200, address
                assert "immutable" in answer.headers["Cache-Control"]

        await page.evaluate("window.release()")
        # The page loads anew under the call, so nobody may be there to hear its answer.
        await page.evaluate(TAPS_UNTIL_IT_IS_TAKEN)
        await until(page, f"window.harness?.version === '{first}+'")


async def test_a_version_is_taken_only_whole(
    own: WholeStack, app: Path, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_app(context, own.base_url)
        first = await version(page)
        whole = tmp_path / "next"
        copytree(app, whole)
        build(whole, f"{first}+")
        try:
            # While it is put in place, and then with another server that has the pages of before.
            for later in ({"sw.js", *PAGES}, PAGES):
                copytree(whole, app, ignore=ignore_patterns(*later), dirs_exist_ok=True)
                await page.evaluate("harness.updates.check()")
                await until(page, NONE_INSTALLS)
                assert await page.evaluate("harness.ready") == 0
        finally:
            copytree(whole, app, dirs_exist_ok=True)
        await page.evaluate("harness.updates.check()")
        await until(page, "harness.ready === 1")
        await page.evaluate(TAPS_UNTIL_IT_IS_TAKEN)
        await until(page, f"window.harness?.version === '{first}+'")


async def test_no_version_takes_over_while_somebody_fills_in_a_form(
    own: WholeStack, app: Path, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_face(context, own)
        await enrol(page, await code_for(own, "warehouse"))
        await whole_app_on_the_phone(page)
        await page.get_by_role("link", name="Report a problem").click()
        await expect(page.get_by_role("button", name="Back")).to_be_visible()
        build(app, "a version of this test")
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.get_by_text("A new version is here")).to_be_visible()
        take = page.get_by_role("button", name="Update", exact=True)
        await take.click()
        await expect(page.get_by_text("Finish or leave what you are filling in")).to_be_visible()
        await page.get_by_role("button", name="Back", exact=True).click()
        await take.click()
        # Loaded anew, the phone asks who is there.
        await expect(page.get_by_label("PIN")).to_be_visible()


async def test_it_can_be_taken_out_of_service_and_what_was_captured_stays(
    own: WholeStack, app: Path, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_app(context, own.base_url)
        await page.evaluate(KEEP)
        worker = (app / "sw.js").read_bytes()
        try:
            # What the API gives for it while FIELD_APP_KILLED is set.
            (app / "sw.js").write_bytes((app / "kill.js").read_bytes())
            await page.evaluate("void harness.updates.check()")
            await until(page, "navigator.serviceWorker.controller === null")
            await until(page, "caches.keys().then((names) => names.length === 0)")
            assert await page.evaluate(KEPT) == "a capture"
        finally:
            (app / "sw.js").write_bytes(worker)
        await page.reload()
        await until(page, "navigator.serviceWorker.controller !== null")
        assert await page.evaluate(KEPT) == "a capture"
