"""The files of the field app: only those, with what browsers may keep, and gone when it must be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from doorstep import settings
from doorstep.app import create_app


@pytest.fixture
async def visitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    app = tmp_path / "app"
    (app / "assets").mkdir(parents=True)
    (app / "index.html").write_text("<!doctype html>")
    (app / "sw.js").write_text("// worker")
    (app / "kill.js").write_text("// killer")
    (app / "assets" / "a-1.js").write_text("// part")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setenv("FIELD_APP_PATH", str(app))
    settings.reload()
    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://doorstep.test") as client:
        yield client
    monkeypatch.undo()
    settings.reload()


@pytest.mark.parametrize(
    ("path", "kind", "kept"),
    [
        ("/app", "text/html", "no-cache"),
        ("/app/", "text/html", "no-cache"),
        ("/app/sw.js", "text/javascript", "no-cache"),
        ("/app/assets/a-1.js", "text/javascript", "public, max-age=31536000, immutable"),
    ],
)
async def test_it_gives_each_file_with_what_a_browser_may_keep(
    visitor: httpx.AsyncClient, path: str, kind: str, kept: str
) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith(kind)
    assert answer.headers["Cache-Control"] == kept
    again = await visitor.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for header in ("Content-Security-Policy", "Cache-Control", "ETag"):
        assert again.headers[header] == answer.headers[header]


@pytest.mark.parametrize(
    "path",
    ["/app/none.js", "/app/assets", "/app/../secret.txt", "/app/%2e%2e/secret.txt",
     "/app/assets/..%2f..%2f..%2fsecret.txt", "/app//etc/passwd", "/app/sw.js/x"],
)  # fmt: skip
async def test_it_gives_nothing_else(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_taken_out_of_service_it_gives_the_worker_that_removes_the_app(
    visitor: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIELD_APP_KILLED", "true")
    settings.reload()
    assert (await visitor.get("/app/sw.js")).text == "// killer"
