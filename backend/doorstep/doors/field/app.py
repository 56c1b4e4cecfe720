"""The field app itself: the files that `make pwa` has built, for whoever opens the address.

Hashed files stay as they are for ever, also those of the version before; the rest is asked for anew
each time, so that phones find a new version as soon as it is here.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from pathlib import Path
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import PathParameter

import doorstep
from doorstep.core.auth.permissions import public
from doorstep.core.errors import NotFound
from doorstep.core.http.edge import PAGE_POLICY
from doorstep.settings import settings

IMMUTABLE = "public, max-age=31536000, immutable"
TYPES = {".webmanifest": "application/manifest+json", ".js": "text/javascript"}
WORKER, KILLER = WORKERS = ("sw.js", "kill.js")
WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
"""A worker lives by the policy of its own file: it fetches and imports from here, and nothing else."""

APP_POLICY = PAGE_POLICY.decode().replace(
    "script-src 'self';", "script-src 'self' 'wasm-unsafe-eval';"
)
"""The page reads barcodes by WebAssembly, which is one of our own files as well."""

OK, NOT_MODIFIED = 200, 304


def folder() -> Path:
    """Return where the built app lies."""
    given = settings().field_app_path
    return Path(given) if given else Path(doorstep.__file__).resolve().parents[2] / "pwa/dist/field"


@get("/app", operation_id="openFieldApp", opt=public(), include_in_schema=False)
async def open_app(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Give the page of the app."""
    return await _file(request, "index.html")


@get("/app/{path:path}", operation_id="readFieldApp", opt=public(), include_in_schema=False)
async def read_app(
    request: Request[Any, Any, Any], path: Annotated[str, PathParameter()]
) -> Response[bytes]:
    """Give a file of the app; while it is taken out of service, the worker that removes it.

    Raises: NotFound for a file that there is not.
    """
    name = path.strip("/") or "index.html"
    return await _file(request, KILLER if name == WORKER and settings().field_app_killed else name)


async def _file(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    content = await asyncio.to_thread(_read, name)
    kind = TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    # The policy stands in "not modified" too: the browser takes the headers of that over.
    headers = {
        "ETag": tag,
        "Cache-Control": IMMUTABLE if name.startswith("assets/") else "no-cache",
    }
    if name in WORKERS:
        headers["Content-Security-Policy"] = WORKER_POLICY
    elif kind == "text/html":
        headers["Content-Security-Policy"] = APP_POLICY
    unchanged = request.headers.get("if-none-match") == tag
    return Response(
        b"" if unchanged else content,
        status_code=NOT_MODIFIED if unchanged else OK,
        media_type=kind or "application/octet-stream",
        headers=headers,
    )


def _read(name: str) -> bytes:
    home = folder()
    # Looked up among the files that there are, a name can lead nowhere else.
    files = {file.relative_to(home).as_posix(): file for file in home.rglob("*") if file.is_file()}
    if name not in files:
        raise NotFound
    return files[name].read_bytes()


handlers = [open_app, read_app]
"""The routes of this door."""
