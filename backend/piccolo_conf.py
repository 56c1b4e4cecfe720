"""What Piccolo looks for: the engine and the one app with all migrations."""

from piccolo.conf.apps import AppRegistry

from doorstep.core.db_engine import engine as DB

__all__ = ["APP_REGISTRY", "DB"]

APP_REGISTRY = AppRegistry(apps=["doorstep.migrations.piccolo_app"])
