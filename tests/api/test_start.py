"""What a server needs before it serves."""

from __future__ import annotations

import pytest
from litestar import get

from doorstep import settings as settings_module
from doorstep.app import create_app
from doorstep.core.auth.guard import RouteNotDeclared
from doorstep.core.auth.permissions import needs, public
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


def test_a_route_that_says_nothing_stops_the_start() -> None:
    @get("/test/open", operation_id="testOpen")
    async def undeclared() -> None: ...

    @get("/test/open", operation_id="testOpen", opt=public())
    async def not_listed() -> None: ...

    @get("/test/open", operation_id="testOpen", opt=needs("no:such:permission"))
    async def unknown() -> None: ...

    for handler in (undeclared, not_listed, unknown):
        with pytest.raises(RouteNotDeclared):
            create_app(doors=[handler])
