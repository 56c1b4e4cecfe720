"""`schema` and `journey`: what the code says about itself, for the front ends and for readers."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from litestar.serialization import encode_json

import doorstep

FOLDER = Path(doorstep.__file__).resolve().parents[2] / "api_schema"
CAPTURES = "captures.json"
SHOWN_LINES = 40


def schema(*, check: bool) -> int:
    """Write openapi.json, journey.json and captures.json, or with `check` only compare them.

    Returns 1 if `check` finds that a file has drifted from the code, and always where the body of a
    capture has changed under a number that phones send already; nothing is written then.
    """
    from doorstep.doors.field.captured_schemas import CapturedBodyChanged

    try:
        documents = _documents()
    except CapturedBodyChanged as broken:
        print(broken)
        return 1
    drifted = False
    for name, content in documents.items():
        path = FOLDER / name
        # Through the encoder of the API first: the description holds more than plain JSON types.
        plain = json.loads(encode_json(content))
        text = json.dumps(plain, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        if text == kept:
            continue
        if check:
            drifted = True
            _print_drift(name, kept, text)
        else:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}")
    if drifted:
        print("api_schema/ has drifted from the code: run `make schema` and commit the result.")
    return 1 if drifted else 0


def journey() -> int:
    """Print the stage table."""
    from doorstep.journey import as_table

    print(as_table())
    return 0


def _documents() -> dict[str, Any]:
    from doorstep.app import openapi_document
    from doorstep.doors.field.captured_schemas import merged
    from doorstep.journey import describe

    path = FOLDER / CAPTURES
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {
        CAPTURES: merged(kept),
        "openapi.json": openapi_document(),
        "journey.json": describe(),
    }


def _print_drift(name: str, kept: str, text: str) -> None:
    lines = difflib.unified_diff(
        kept.splitlines(), text.splitlines(), f"api_schema/{name}", "the code", lineterm="", n=1
    )
    for number, line in enumerate(lines):
        if number == SHOWN_LINES:
            print("…")
            break
        print(line)
