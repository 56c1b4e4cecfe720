"""`migrate` and `doctor`: the schema of the database and the truth of what is in it."""

from __future__ import annotations

import asyncio
from time import perf_counter

from doorstep import settings
from doorstep.core import db_engine
from doorstep.migrations.run import migrate as run_migrations
from doorstep.stack import servers

STATEMENT_SECONDS = 300.0
"""The doctor reads whole tables."""


def migrate() -> int:
    """Bring the database to the newest schema and print what ran."""
    with servers():
        applied = asyncio.run(run_migrations(settings.settings().database_url))
    for migration in applied:
        print(f"applied {migration}")
    if not applied:
        print("The schema is up to date.")
    return 0


def doctor() -> int:
    """Check every invariant that can be read from the rows. Returns 0 only if all of them hold."""
    with servers():
        violations, effort = asyncio.run(_doctor(settings.settings().database_url))
    for violation in violations:
        print(violation)
    said = f"{len(violations)} violations" if violations else "All invariants hold"
    print(f"{said}: {effort}.")
    return 1 if violations else 0


async def _doctor(url: str) -> tuple[list[str], str]:
    """Run the checks; give what they found, and how many they were and how long it took."""
    from doorstep import doctor as checks

    await run_migrations(url)
    await db_engine.start(url, command_timeout=STATEMENT_SECONDS)
    try:
        began = perf_counter()
        violations = [str(violation) for violation in await checks.run()]
        return violations, f"{checks.count()} checks in {perf_counter() - began:.2f} s"
    finally:
        await db_engine.stop()
