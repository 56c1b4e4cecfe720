"""The field app in Chromium: it opens without a signal, and new versions never take anything away."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, Playwright

from tests.support.field_app import build, open_app, phone, until
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
        await page.evaluate("void harness.updates.apply()")
        await until(page, f"window.harness?.version === '{first}+'")


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
