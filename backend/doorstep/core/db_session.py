"""What every new connection is told before anybody uses it."""

from __future__ import annotations

from typing import Any

import msgspec

SERVER_SETTINGS = {"application_name": "doorstep", "jit": "off"}


def _encode_json(content: Any) -> str:
    # Piccolo hands over JSON columns as text already; everything else is a Python object.
    return content if isinstance(content, str) else msgspec.json.encode(content).decode()


async def prepare(connection: Any) -> None:
    """Let JSON columns come and go as Python objects."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=_encode_json, decoder=msgspec.json.decode
        )


async def keep(_connection: Any) -> None:
    """Skip the pool's RESET ALL: no code here leaves session state (SET LOCAL only)."""
