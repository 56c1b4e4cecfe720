"""What an erasure does to each column of each table, read from erasure_columns.json.

The file is both the decision and the deed: the statements are made of it, so that neither can be
changed without the other. Of each table it says which rows are a customer's (`rows`), what becomes
of which column (`erase`), or that the row goes as a whole (`goes`), and what stays (`keep`), each
under the name of its reason. `@name` stands for what `flows/erasure.py` knows of the customer.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("erasure_columns.json")

_NAME = re.compile(r"@([a-z]+)")


class Statement(NamedTuple):
    """What is done to one table: SQL with placeholders for what is known under these names."""

    table: str
    sql: str
    names: list[str]


@cache
def decisions() -> dict[str, Any]:
    """Read the file: {"reasons": {name: words}, "tables": {table: decision}}."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


@cache
def statements() -> list[Statement]:
    """Make the statements, in the order of the file; run again they find nothing left to do."""
    return [
        _numbered(table, _sql(table, decision))
        for table, decision in decisions()["tables"].items()
        if "rows" in decision
    ]


def erased_columns(decision: dict[str, Any]) -> dict[str, str]:
    """Tell what becomes of which column: {column: SQL}."""
    return {
        column: sql for group in decision.get("erase", {}).values() for column, sql in group.items()
    }


def _sql(table: str, decision: dict[str, Any]) -> str:
    if "goes" in decision:
        return f'DELETE FROM "{table}" WHERE {decision["rows"]}'  # noqa: S608 - a file of ours
    changes = erased_columns(decision)
    setting = ", ".join(f"{column} = {sql}" for column, sql in changes.items())
    # What is erased already is no change, and is not counted twice.
    different = " OR ".join(f"{column} IS DISTINCT FROM {sql}" for column, sql in changes.items())
    return f'UPDATE "{table}" SET {setting} WHERE ({decision["rows"]}) AND ({different})'  # noqa: S608


def _numbered(table: str, sql: str) -> Statement:
    """Give each name its placeholder."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}{_TYPES[found[1]]}"

    return Statement(table, _NAME.sub(number, sql), names)


_TYPES = {
    "customer": "::uuid",
    "orders": "::uuid[]",
    "inbound": "::uuid[]",
    "tickets": "::uuid[]",
    "problems": "::uuid[]",
    "labels": "::text[]",
    "contacts": "::text[]",
    "refused": "::text[]",
    "ids": "::text[]",
    "sent": "::text[]",
    "files": "::text[]",
    "since": "::timestamptz",
    "erased": "::bytea",
    "gone": "::bytea",
}
"""What may stand behind `@` in the file, with its type."""
