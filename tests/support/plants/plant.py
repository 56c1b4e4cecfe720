"""A planted violation, and how what it destroys is kept and put back."""

from __future__ import annotations

from typing import NamedTuple


class Plant(NamedTuple):
    """A violation: the check that must find it, the statements that plant it, the tables they touch.

    `guards` are constraints that would refuse it and are lifted for the moment: name → definition.
    """

    check: str
    tables: tuple[str, ...]
    statements: tuple[str, ...]
    guards: tuple[tuple[str, str, str], ...] = ()


def copies(table: str, changed: str, where: str = "true", times: int = 1) -> str:
    """Write a statement that copies rows of a table, with other values in some columns."""
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(x, jsonb_build_object({changed}))).*"
        f" FROM {table} x, generate_series(1, {times}) AS n WHERE {where}"
    )


def keep(plant: Plant) -> list[str]:
    """Write the statements that keep what the plant will destroy, and lift its guards."""
    kept = [f"CREATE TEMP TABLE kept_{name} AS TABLE {name}" for name in plant.tables]
    return [*kept, *(lift for lift, _, _ in plant.guards)]


def restore(plant: Plant) -> list[str]:
    """Write the statements that put everything back, and the guards too."""
    back = [
        statement
        for name in plant.tables
        for statement in (
            f"DELETE FROM {name}",
            f"INSERT INTO {name} SELECT * FROM kept_{name}",
            f"DROP TABLE kept_{name}",
        )
    ]
    return [*back, *(set_again for _, _, set_again in plant.guards)]
