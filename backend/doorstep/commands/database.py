"""`migrate` and `doctor`: the schema of the database and the truth of what is in it."""

from __future__ import annotations

import asyncio

from doorstep import settings
from doorstep.core import db
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
        violations = asyncio.run(_doctor(settings.settings().database_url))
    for violation in violations:
        print(violation)
    print(f"{len(violations)} violations." if violations else "All invariants hold.")
    return 1 if violations else 0


async def _doctor(url: str) -> list[str]:
    from doorstep import doctor as checks

    await run_migrations(url)
    await db.start(url, command_timeout=STATEMENT_SECONDS)
    try:
        return [str(violation) for violation in await checks.run()]
    finally:
        await db.stop()
