"""What the payload of each type of event looks like, as phones that were released send it.

`api_schema/captures.json` keeps it by type and number. What stands there is a promise to phones in
the field: a body that changes gets the next number, and `earlier` reads the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec

from doorstep.doors.field.captured import CAPTURES, Captured

Schemas = dict[str, dict[str, Any]]
"""Type → number → JSON Schema of the body, without words and names of classes."""

_WORDS = ("title", "description", "examples")


class CapturedBodyChanged(Exception):
    """Phones in the field would be refused; the message says for which type and what to do."""


def merged(kept: Schemas, captures: Mapping[str, Captured] = CAPTURES) -> Schemas:
    """Return the schemas that are read now: the present ones, and of the number before what is kept.

    Raises: CapturedBodyChanged for one that is not what was kept under its number, or that was kept
        and cannot be read any more.
    """
    found: Schemas = {}
    for name, one in captures.items():
        present, known = schema_of(one), kept.get(name, {})
        if known.get(str(one.schema), present) != present:
            raise CapturedBodyChanged(
                f"The body of {name} has changed under its number {one.schema}. Let `schema` grow by"
                " one in doors/field/captured.py and read the one before by `earlier`."
            )
        found[name] = {str(one.schema): present}
        before = str(one.schema - 1)
        if before in known:
            if one.earlier is None:
                raise CapturedBodyChanged(f"{name} of schema {before} is not read any more.")
            found[name][before] = known[before]
    if gone := kept.keys() - found.keys():
        raise CapturedBodyChanged(f"Phones still send {', '.join(sorted(gone))}.")
    return found


def schema_of(one: Captured) -> dict[str, Any]:
    """Describe the body of the request that a type stands for."""
    body = get_type_hints(one.handler.fn)["data"]
    (top,), parts = msgspec.json.schema_components([body], ref_template="{name}")
    described: dict[str, Any] = _plain(top, parts)
    return described


def _plain(node: Any, parts: Mapping[str, Any]) -> Any:
    """Put every part in its place, and leave out what means nothing to a phone."""
    if isinstance(node, list):
        return [_plain(item, parts) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(parts[node["$ref"]], parts)
    plain = {}
    for key, value in node.items():
        if key == "properties":
            # A field may have any name, also one of those that are left out.
            plain[key] = {name: _plain(field, parts) for name, field in value.items()}
        elif key not in _WORDS:
            plain[key] = _plain(value, parts)
    return plain
