"""A push, from the fact to the tap: sent by the worker, decrypted by a push service, shown, opened.

Only the browser's vendor is replaced: a push service on loopback decrypts as RFC 8291 says, and
what it got goes into the service worker as Chromium delivers it.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import BrowserContext, CDPSession, Page, Playwright, expect

from tests.support.field_app import (
    ALL_SENT,
    PERSON,
    capture,
    enrolled,
    phone,
    unannounced,
    until,
)
from tests.support.field_face import (
    PIN,
    code_for,
    enrol,
    open_face,
    sound,
    whole_app_on_the_phone,
)
from tests.support.whole_stack import WholeStack

SHOWN = """navigator.serviceWorker.ready.then((worker) => worker.getNotifications())
  .then((all) => all.map((one) => [one.title, one.body, one.tag, one.lang]))"""
# The page listens before anything is sent: what comes meanwhile would not be heard.
LISTEN = """(type) => void (window.heard = new Promise((done) =>
  navigator.serviceWorker.addEventListener('message', ({ data }) => data.type === type && done(data))))"""

PAGES = "self.clients.matchAll({ includeUncontrolled: true }).then((all) => all.length)"

TAP = """
self.registration.getNotifications().then(([shown]) => {
  const opened = [];
  self.clients.openWindow = async (address) => void opened.push(address);
  self.dispatchEvent(new NotificationEvent('notificationclick', { notification: shown }));
  return new Promise((done) => setTimeout(() => done(opened), 500));
})
"""


async def delivered(own: WholeStack, endpoint: str) -> dict[str, Any]:
    """Switch the phone on until the push service has something for it."""
    async with httpx.AsyncClient(base_url=own.sandbox_url, trust_env=False) as service:
        for _ in range(150):
            found = (await service.post("/push-messages", params={"endpoint": endpoint})).json()
            if found:
                (one,) = found
                message: dict[str, Any] = one["message"]
                return message
            await asyncio.sleep(0.2)
    raise AssertionError(f"nothing came to the push service\n{own.logs()}")


async def worker_of(context: BrowserContext, page: Page) -> tuple[CDPSession, str]:
    """Find the registration of the app's worker, to deliver pushes to."""
    devtools = await context.new_cdp_session(page)
    known: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def seen(event: dict[str, Any]) -> None:
        for registration in event["registrations"]:
            if not known.done():
                known.set_result(registration["registrationId"])

    devtools.on("ServiceWorker.workerRegistrationUpdated", seen)
    await devtools.send("ServiceWorker.enable")
    return devtools, await asyncio.wait_for(known, 60)


async def test_a_push_is_shown_told_and_opens_the_job(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await enrolled(own, context)
        async with httpx.AsyncClient(base_url=own.sandbox_url, trust_env=False) as service:
            to = (await service.post("/push-subscriptions", json={})).json()
        assert await page.evaluate("(to) => harness.subscribed(to)", to)

        # What the server rejects, its person is told.
        await capture(page, unannounced("P-0") | {"payload": {"nonsense": True}})
        await until(page, ALL_SENT)
        message = await delivered(own, to["endpoint"])
        told = message["notification"]
        assert message["web_push"] == 8030
        assert "P-0" not in json.dumps(message)

        devtools, registration = await worker_of(context, page)
        push = {"origin": own.base_url, "registrationId": registration, "data": json.dumps(message)}
        await devtools.send("ServiceWorker.deliverPushMessage", push)
        # Asked for too early, Chromium takes a notification that is not on the screen yet for gone.
        await acknowledged(own, told["data"]["id"], "shown_at")
        found = await page.evaluate(SHOWN)
        assert found == [[told["title"], told["body"], told["tag"], told["lang"]]]

        # With a page open it is asked to show the job; without one it is opened.
        await page.evaluate(LISTEN, "OPEN")
        (worker,) = context.service_workers
        assert await worker.evaluate(TAP) == []
        assert (await asyncio.wait_for(page.evaluate("window.heard"), 60))["lane"] == told["data"][
            "lane"
        ]
        await acknowledged(own, told["data"]["id"], "tapped_at")

        # One that cannot be read is shown too: browsers take push away from who shows nothing.
        await page.evaluate(LISTEN, "LOOK")
        await devtools.send("ServiceWorker.deliverPushMessage", push | {"data": "nonsense"})
        await asyncio.wait_for(page.evaluate("window.heard"), 60)
        assert [title for title, *_ in await page.evaluate(SHOWN)] == ["Doorstep"]
        await page.goto("about:blank")
        # Chromium's worker may know the page for a moment longer.
        async with asyncio.timeout(60):
            while await worker.evaluate(PAGES) > 0:
                await asyncio.sleep(0.05)
        assert await worker.evaluate(TAP) == ["/app/"]


async def acknowledged(own: WholeStack, message_id: str, column: str) -> None:
    for _ in range(600):
        rows = await own.rows(
            f"SELECT 1 FROM push_message WHERE id = $1::uuid AND {column} IS NOT NULL", message_id
        )
        if rows:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{message_id} was not acknowledged by {PERSON}: {column}")


SUBSCRIBES = """(() => {
  PushManager.prototype.getSubscription = async () => null;
  PushManager.prototype.subscribe = async () => ({ toJSON: () => (%s) });
})()"""
"""Headless browsers have no push service to subscribe at: one on loopback stands in for it."""


REACHED = """
SELECT FROM push_subscription s JOIN device d ON d.id = s.device_id
  JOIN person p ON p.id = d.person_id WHERE s.endpoint = $1 AND p.role = 'technician'
"""


async def test_a_tap_on_the_first_screen_lets_the_phone_tell_of_new_work(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with httpx.AsyncClient(base_url=own.sandbox_url, trust_env=False) as service:
        to = (await service.post("/push-subscriptions", json={})).json()
    async with phone(playwright, tmp_path / "profile") as context:
        await context.clear_permissions()
        await context.add_init_script(SUBSCRIBES % json.dumps(to))
        page = await open_face(context, own)
        await enrol(page, await code_for(own, "courier"))
        await whole_app_on_the_phone(page)
        ask = page.get_by_role("button", name="Tell me of new work")
        await expect(ask).to_be_visible()
        await sound(page)
        await context.set_offline(True)
        await ask.click()
        await expect(page.get_by_text("Not possible now")).to_be_visible()
        await context.set_offline(False)
        await context.grant_permissions(["notifications"], origin=own.base_url)
        await ask.click()
        await expect(ask).to_have_count(0)
        for _ in range(100):
            if await own.rows(f"SELECT FROM push_subscription WHERE endpoint = '{to['endpoint']}'"):
                break
            await asyncio.sleep(0.2)
        else:
            raise AssertionError("the server was not told where the phone is reached")
        # Whoever begins on a phone that tells of work already is told from then on.
        await page.goto(f"{own.base_url}/app/#code={await code_for(own, 'technician')}")
        await page.get_by_label("Choose a PIN").fill(PIN)
        await page.get_by_label("The PIN once more").fill(PIN)
        await page.get_by_role("button", name="Begin").click()
        for _ in range(100):
            if await own.rows(REACHED, to["endpoint"]):
                break
            await asyncio.sleep(0.2)
        else:
            raise AssertionError("whoever began later is not told of new work")
