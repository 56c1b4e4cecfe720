"""The migrations as Piccolo sees them."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

APP_NAME = "doorstep"

# No table classes: the schema is written by hand, Piccolo never derives a migration from them.
APP_CONFIG = AppConfig(
    app_name=APP_NAME,
    migrations_folder_path=str(Path(__file__).parent / "versions"),
    table_classes=[],
)
