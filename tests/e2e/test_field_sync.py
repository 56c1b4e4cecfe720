"""Outbox and sync in Chromium against the real API: whatever dies when, each capture counts once."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from playwright.async_api import BrowserContext, Error, Playwright

from doorstep.play.pictures import photo
from tests.support import chromium
from tests.support.field_app import (
    ALL_SENT,
    PERSON,
    build,
    capture,
    enrolled,
    open_app,
    phone,
    unannounced,
    until,
)
from tests.support.whole_stack import WholeStack


async def counted(own: WholeStack, prefix: str) -> dict[str, int]:
    """Count what came of captures whose codes begin so: by event id, how often it had its effect."""
    rows = await own.rows(
        "SELECT c.event_id::text AS id, c.verdict,"
        " (SELECT count(*) FROM unannounced_goods g WHERE g.id = c.event_id) AS effects"
        " FROM capture c WHERE convert_from(c.body, 'UTF8')::jsonb->'payload'->>'code' LIKE $1",
        f"{prefix}-%",
    )
    assert {row["verdict"] for row in rows} <= {"applied"}, rows
    return {row["id"]: row["effects"] for row in rows}


def kill_chromium_of(profile: Path) -> None:
    """Kill the browser on a profile with all its children at once, and wait until none is left.

    A child that outlives it for a moment would write where the next browser reads already.
    """
    browser = _chromium_of(profile)
    all_of_it = [browser, *browser.children(recursive=True)]
    for process in all_of_it:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    while any(_lives(process) for process in all_of_it):
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _chromium_of(profile: Path) -> psutil.Process:
    mine = [
        process
        for process in psutil.process_iter(["cmdline"])
        if f"--user-data-dir={profile}" in (process.info["cmdline"] or [])
        and not any(word.startswith("--type=") for word in process.info["cmdline"])
    ]
    (found,) = mine
    return found


async def test_a_phone_that_is_killed_in_the_middle_keeps_what_it_said_it_kept(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    kept: list[str] = []
    for life, lives in enumerate((0.15, 0.4, 0.9, None)):
        async with phone(playwright, profile) as context:
            page = (
                await enrolled(own, context) if life == 0 else await open_app(context, own.base_url)
            )
            # Playwright wants a function of its own to mark.
            await page.expose_function("kept", lambda event_id: kept.append(event_id))  # noqa: PLW0108
            given = [unannounced(f"K-{life}-{number}") for number in range(25)]
            work = asyncio.create_task(
                page.evaluate(
                    "async (all) => { for (const one of all) kept(await harness.capture(one)); }",
                    given,
                )
            )
            if lives is None:
                await work
                # Chromium deletes a database that it cannot open; then nobody works here.
                assert await page.evaluate("harness.field.sessions.standing()") is not None
                await until(page, ALL_SENT, seconds=60)
                continue
            await asyncio.sleep(lives)
            kill_chromium_of(profile)
            with suppress(Error):
                await work
    effects = await counted(own, "K")
    assert len(kept) == len(set(kept)) >= 25
    assert set(kept) <= effects.keys(), "what was kept is on the server"
    assert set(effects.values()) == {1}, "and nothing had its effect twice"


def leave_half_a_record(profile: Path) -> Path:
    """Do to the files of the app's databases what a browser does that dies between two writes.

    LevelDB writes what a record begins with, its checksum, length and kind, and then the record.
    """
    [log] = (profile / "Default" / "IndexedDB").glob("*.leveldb/*.log")
    with log.open("ab") as file:
        file.write(b"\x5e\x7b\x1d\x0a" + (40).to_bytes(2, "little") + b"\x01")
    return log.with_name("LOG")


async def nothing_sent_behind_the_page(context: BrowserContext, base_url: str) -> None:
    """Let the browser wake no worker by itself: that one would send, whatever a page has of a network."""
    session = await context.new_cdp_session(context.pages[0])
    denied = {"permission": {"name": "background-sync"}, "setting": "denied", "origin": base_url}
    await session.send("Browser.setPermission", denied)


async def test_what_the_browser_gives_up_for_damaged_comes_back_and_is_sent_once(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    kept: list[str] = []
    async with phone(playwright, profile) as context:
        await nothing_sent_behind_the_page(context, own.base_url)
        page = await enrolled(own, context)
        await context.set_offline(True)
        picture = photo("torn picture", "")
        kept += [await capture(page, unannounced("T-0", picture))]
        kept += [await capture(page, unannounced(f"T-{number}")) for number in range(1, 5)]
    diary = leave_half_a_record(profile)
    async with phone(playwright, profile) as context:
        # It goes on behind the half record, and nobody sees anything of it yet.
        await nothing_sent_behind_the_page(context, own.base_url)
        await context.set_offline(True)
        page = await open_app(context, own.base_url)
        kept += [await capture(page, unannounced(f"T-{number}")) for number in range(5, 8)]
        kill_chromium_of(profile)
    assert "since it was missing" not in diary.read_text()
    async with phone(playwright, profile) as context:
        await nothing_sent_behind_the_page(context, own.base_url)
        await context.set_offline(True)
        page = await open_app(context, own.base_url)
        assert await counted(own, "T") == {}, "nothing was sent before it was lost"
        left = (
            f"harness.field.sync.status('{PERSON}').then((s) => s.waiting.count + s.sending.count)"
        )
        assert await page.evaluate(left) == len(kept) == 8
        assert "since it was missing" in diary.read_text(), "the browser has deleted what it had"
        standing = await page.evaluate("harness.field.sessions.standing()")
        assert standing == {"person_id": PERSON, "state": "signed_in"}
        kept.append(await capture(page, unannounced("T-8")))
        await context.set_offline(False)
        await page.evaluate("harness.field.fire('online')")
        await until(page, ALL_SENT, seconds=60)
    assert await counted(own, "T") == dict.fromkeys(kept, 1)
    numbers = await own.rows(
        "SELECT device_seq FROM capture WHERE event_id = ANY ($1) ORDER BY device_seq",
        [UUID(one) for one in kept],
    )
    assert [row["device_seq"] for row in numbers] == list(range(1, 10))


async def test_a_page_that_loads_anew_in_mid_push_sends_everything_once(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await enrolled(own, context)
        kept = [await capture(page, unannounced(f"R-{number}")) for number in range(10)]
        for _ in range(3):
            await page.reload()
            await until(page, "window.harness !== undefined")
            kept.append(await capture(page, unannounced(f"R-{len(kept)}")))
        await until(page, ALL_SENT, seconds=60)
    assert await counted(own, "R") == dict.fromkeys(kept, 1)


async def test_with_the_page_closed_the_worker_sends_also_when_it_is_stopped_on_the_way(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await enrolled(own, context)
        await context.set_offline(True)
        picture = photo("B picture", "")
        kept = [await capture(page, unannounced("B-0", picture))]
        kept += [await capture(page, unannounced(f"B-{number}")) for number in range(1, 20)]
        other = await context.new_page()
        await page.close()
        devtools = await context.new_cdp_session(other)
        await devtools.send("ServiceWorker.enable")
        await context.set_offline(False)
        for _ in range(3):
            await asyncio.sleep(0.3)
            await devtools.send("ServiceWorker.stopAllWorkers")
        for _ in range(200):
            if len(await counted(own, "B")) == len(kept):
                break
            await asyncio.sleep(0.2)
        else:
            # Stopped in the middle the browser may wait for minutes; whoever opens the app does not.
            page = await open_app(context, own.base_url)
            await until(page, ALL_SENT, seconds=60)
    assert await counted(own, "B") == dict.fromkeys(kept, 1)


async def test_a_new_version_sends_what_the_old_one_had_kept(
    own: WholeStack, app: Path, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await enrolled(own, context)
        # The worker is not asked either: its requests nobody can hold back.
        await page.evaluate("void (SyncManager.prototype.register = async () => undefined)")
        await page.route("**/field/sync/**", lambda route: route.abort())
        kept = [await capture(page, unannounced(f"U-{number}")) for number in range(120)]
        build(app, "2")
        await page.evaluate("harness.updates.check()")
        await until(page, "harness.ready === 1")
        # Whoever sends keeps the new version waiting; it is asked for until it may come.
        await until(
            page, "harness.version === '2' || (void harness.updates.apply(), false)", seconds=60
        )
        await page.unroute("**/field/sync/**")
        await page.evaluate("void harness.field.fire('button')")
        await until(page, ALL_SENT, seconds=60)
    assert await counted(own, "U") == dict.fromkeys(kept, 1)
    versions = await own.rows(
        "SELECT DISTINCT app_version FROM capture WHERE event_id = ANY($1)", kept
    )
    assert [row["app_version"] for row in versions] == ["2"]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A disk of 24 MB, as a phone that is full, and a Chromium that sees it.

    Root mounts it; anybody else has it mounted in a namespace in which Chromium runs.
    """
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() == 0:
        subprocess.run(mount, check=True)
        yield folder, chromium.find()
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        return
    program = tmp_path / "chromium"
    inside = f'{" ".join(mount)} && exec "{chromium.find()}" "$@"'
    program.write_text(f"#!/bin/sh\nexec unshare -Urm sh -c '{inside}' sh \"$@\"\n")
    program.chmod(0o755)
    yield folder, program


async def test_on_a_full_phone_what_was_kept_stays_and_the_person_is_told(
    own: WholeStack, playwright: Playwright, small: tuple[Path, Path]
) -> None:
    kept: list[str] = []
    folder, program = small
    async with phone(playwright, folder / "profile", program) as context:
        page = await enrolled(own, context)
        # As after every sign-in: the first sync keeps room for those that follow.
        await page.evaluate("harness.field.fire('button')")
        await page.route("**/uploads/**", lambda route: route.abort())
        await page.route("**/field/sync/**", lambda route: route.abort())
        refused = ""
        for number in range(120):
            picture = photo(f"S {number}", "") + os.urandom(300_000)
            try:
                kept.append(await capture(page, unannounced(f"S-{number}", picture)))
            except Error as full:
                refused = str(full)
                break
        assert "StorageFull" in refused
        assert kept
        await page.close()
        page = await open_app(context, own.base_url)
        found = await page.evaluate(f"harness.field.sync.status('{PERSON}')")
        # The worker, which no route of a page stops, may have sent some already.
        held = found["waiting"]["count"] + found["sending"]["count"]
        assert held + found["confirmed"] == len(kept)
        await page.evaluate("void harness.field.fire('button')")
        await until(page, ALL_SENT, seconds=120)
    assert await counted(own, "S") == dict.fromkeys(kept, 1)
