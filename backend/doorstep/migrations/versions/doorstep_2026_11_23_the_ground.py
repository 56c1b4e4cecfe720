"""The first migration: whatever lies in `sql/` when a database is made. Later files follow in `migrate`."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from doorstep.migrations.piccolo_app import APP_NAME
from doorstep.migrations.sql_files import run_sql_files

ID = "2026-11-23T06:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Everything one order needs from 5 % to 100 %"


async def forwards() -> MigrationManager:
    """Load every file of `sql/`, in the order of their names."""
    manager = MigrationManager(migration_id=ID, app_name=APP_NAME, description=DESCRIPTION)
    manager.add_raw(_load)
    return manager


async def _load() -> None:
    await run_sql_files()
