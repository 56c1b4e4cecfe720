"""Magento's searchCriteria: filters, sorting and pages over plain rows (pure)."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

DEFAULT_PAGE = 20
_FILTER = re.compile(
    r"searchCriteria\[filter_?[gG]roups\]\[(\d+)\]\[filters\]\[(\d+)\]\[(field|value|condition_?[tT]ype)\]"
)
_SORT = re.compile(r"searchCriteria\[sort_?[oO]rders\]\[(\d+)\]\[(field|direction)\]")

Row = Mapping[str, Any]

_CONDITIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda have, want: have == want,
    "neq": lambda have, want: have != want,
    "gt": lambda have, want: have > want,
    "gteq": lambda have, want: have >= want,
    "from": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "lteq": lambda have, want: have <= want,
    "to": lambda have, want: have <= want,
    "in": lambda have, want: have in want.split(","),
    "nin": lambda have, want: have not in want.split(","),
    "like": lambda have, want: fnmatch.fnmatch(have.lower(), want.lower().replace("%", "*")),
    "null": lambda have, want: have == "",
    "notnull": lambda have, want: have != "",
}


def _text(value: Any) -> str:
    # Numbers are padded so that they compare as numbers.
    return f"{value:020d}" if isinstance(value, int) else "" if value is None else str(value)


def _holds(row: Row, one: Mapping[str, str]) -> bool:
    have = row.get(one.get("field", ""))
    want = one.get("value", "")
    condition = _CONDITIONS[one.get("condition_type", "eq")]
    if isinstance(have, int) and want.isdigit():
        want = _text(int(want))
    elif isinstance(have, int):
        have = str(have)
    return condition(_text(have), want)


def _filters(query: Iterable[tuple[str, str]]) -> dict[str, dict[str, dict[str, str]]]:
    groups: dict[str, dict[str, dict[str, str]]] = {}
    for name, value in query:
        if found := _FILTER.fullmatch(name):
            group, place, part = found.groups()
            part = "condition_type" if part.startswith("condition") else part
            groups.setdefault(group, {}).setdefault(place, {})[part] = value
    return groups


def _number(query: Sequence[tuple[str, str]], names: tuple[str, str], default: int) -> int:
    given = [value for name, value in query if name in names]
    return int(given[-1]) if given and given[-1].isdigit() else default


def search(rows: Iterable[Row], query: Sequence[tuple[str, str]]) -> tuple[list[Row], int]:
    """Select, sort and page; return the page and how many there are in all.

    A page past the end repeats the last one, as Magento does.

    Raises: KeyError for an unknown condition.
    """
    groups = _filters(query)
    found = [
        row
        for row in rows
        if all(any(_holds(row, one) for one in group.values()) for group in groups.values())
    ]
    sorts: dict[int, dict[str, str]] = {}
    for name, value in query:
        if match := _SORT.fullmatch(name):
            sorts.setdefault(int(match[1]), {})[match[2]] = value
    for place in sorted(sorts, reverse=True):
        field = sorts[place].get("field", "")
        down = sorts[place].get("direction", "ASC").upper() == "DESC"
        found.sort(key=lambda row, f=field: _text(row.get(f)), reverse=down)  # type: ignore[misc]
    size = _number(query, ("searchCriteria[pageSize]", "searchCriteria[page_size]"), DEFAULT_PAGE)
    wanted = _number(query, ("searchCriteria[currentPage]", "searchCriteria[current_page]"), 1)
    pages = max(-(-len(found) // max(size, 1)), 1)
    start = (min(max(wanted, 1), pages) - 1) * size
    return found[start : start + size], len(found)


def echo(query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Repeat the criteria as Magento's answer does."""
    groups = [
        {
            "filters": [
                {"field": "", "value": "", "condition_type": "eq", **one} for one in group.values()
            ]
        }
        for group in _filters(query).values()
    ]
    return {
        "filter_groups": groups,
        "page_size": _number(query, ("searchCriteria[pageSize]", ""), DEFAULT_PAGE),
        "current_page": _number(query, ("searchCriteria[currentPage]", ""), 1),
    }
