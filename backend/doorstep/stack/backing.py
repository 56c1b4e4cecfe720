"""PostgreSQL, Redis and blobs: the configured ones, else the running ones, else embedded ones."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from doorstep import settings
from doorstep.core import clock
from doorstep.core.embedded import EmbeddedStack, data_folder

SECRETS = {
    "SECRET_KEY": "{}",
    "SHOP_TOKEN": "{}",
    "CHECKOUT_SIGNING_KEYS": "{}",
    "CLICKPOST_WEBHOOK_KEYS": "{}",
    "CLICKPOST_PATH_SECRETS": "{}",
    "BANK_KEY": "embedded:{}",
    "BANK_ACCOUNT": "embedded-account",
    "BANK_WEBHOOK_KEYS": "{}",
    "MESSAGING_KEY": "{}",
    "CHECKOUT_SECRET_KEY": "sk_{}",
    # Any 32 random bytes are a key of the curve P-256.
    "VAPID_PRIVATE_KEY": "{}",
    "VAPID_SUBJECT": "mailto:push@doorstep.example",
}
"""What an installation sets itself; the embedded stack makes them up once and keeps them."""


@contextmanager
def servers(*, made_up_secrets: bool = False) -> Iterator[EmbeddedStack | None]:
    """Let the settings name a database, a Redis and a blob store that answer, for the block.

    What the environment does not name is embedded in `.doorstep/`: joined when another command
    runs it, started and later stopped when none does. Yields the embedded stack if there is one.
    `made_up_secrets`: secrets that the environment does not name are made up also for servers that
    it does name, for plays on them.

    Raises: EmbeddedFailed.
    """
    folder = data_folder()
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        found = {"BLOB_URL": _blob_url(folder)}
        if made_up_secrets:
            folder.mkdir(exist_ok=True)
            found |= _kept_secrets(folder / "secrets.json")
        with _environment(found):
            yield None
        return
    with EmbeddedStack(folder) as stack:
        found = {
            "DATABASE_URL": stack.postgres.url(),
            "REDIS_URL": stack.redis.url(),
            "BLOB_URL": _blob_url(folder),
            **_kept_secrets(folder / "secrets.json"),
        }
        with _environment(found), _time_of(stack):
            yield stack


@contextmanager
def _time_of(stack: EmbeddedStack) -> Iterator[None]:
    """Let this process live in the time of the data; a play may have let it pass."""
    clock.set_offset(stack.clock_offset())
    try:
        yield
    finally:
        clock.set_offset(timedelta())


@contextmanager
def _environment(defaults: dict[str, str]) -> Iterator[None]:
    """Set the variables that are not set, for this process and its children."""
    missing = {name: text for name, text in defaults.items() if not os.environ.get(name)}
    os.environ.update(missing)
    settings.reload()
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)
        settings.reload()


def _blob_url(folder: Path) -> str:
    return (folder.absolute() / "blobs").as_uri()


def _kept_secrets(file: Path) -> dict[str, str]:
    """Return the secrets of this data folder: signed links survive a restart."""
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    made = {
        name: kept.get(name) or form.format(secrets.token_urlsafe(32))
        for name, form in SECRETS.items()
    }
    if made != kept:
        half = file.with_suffix(f".{os.getpid()}.new")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(made, out, indent=2)
        half.replace(file)
    return made
