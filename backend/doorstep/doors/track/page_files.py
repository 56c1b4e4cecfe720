"""The scripts of the customer's pages, as `make setup` has built them; without them the pages work too."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Annotated, Any

from litestar import Response, get
from litestar.params import PathParameter

import doorstep
from doorstep.core.auth.permissions import public
from doorstep.core.errors import NotFound
from doorstep.settings import settings

IMMUTABLE = "public, max-age=31536000, immutable"
_SCRIPT = re.compile(r"(track|door)-[\w-]{8}\.js")


def folder() -> Path:
    """Return where the built scripts lie."""
    given = settings().track_page_path
    return Path(given) if given else Path(doorstep.__file__).resolve().parents[2] / "pwa/dist/track"


def script_path(of: str = "track") -> str:
    """Give the address of the newest script of a page, or an empty text where none is built."""
    names = [file for file in folder().glob(f"{of}-*.js") if _SCRIPT.fullmatch(file.name)]
    return f"/t/files/{max(names, key=lambda file: file.stat().st_mtime).name}" if names else ""


@get(
    "/t/files/{name:str}",
    operation_id="readTrackingFile",
    opt=public(),
    include_in_schema=False,
)
async def read_file(name: Annotated[str, PathParameter()]) -> Response[Any]:
    """Give a page's script; its name changes with what is in it.

    Raises: NotFound for any other name.
    """
    path = folder() / name
    # A name of this shape leads nowhere else.
    if _SCRIPT.fullmatch(name) is None or not await asyncio.to_thread(path.is_file):
        raise NotFound
    return Response(
        await asyncio.to_thread(path.read_bytes),
        media_type="text/javascript",
        headers={"Cache-Control": IMMUTABLE},
    )


handlers = [read_file]
"""The files of this door."""
