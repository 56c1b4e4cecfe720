"""The smallest application that a supervisor can serve: it tells its caller and its number."""

from __future__ import annotations

import json
import os
from typing import Any


def create_app() -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        body = json.dumps({"pid": os.getpid(), "client": scope["client"][0]}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app
