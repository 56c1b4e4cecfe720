"""What a server needs before it serves."""

from __future__ import annotations

import pytest

from doorstep import settings as settings_module
from doorstep.app import create_app
from doorstep.core.auth.tokens import SecretKeyMissing


async def test_without_a_secret_key_the_server_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", "short")
    settings_module.reload()
    try:
        served = create_app()
        with pytest.RaisesGroup(SecretKeyMissing, flatten_subgroups=True, allow_unwrapped=True):
            async with served.lifespan():
                pass
    finally:
        monkeypatch.undo()
        settings_module.reload()
