"""Piccolo's picture of every table is the database's own."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
from piccolo.table import Table

import doorstep

NOT_OURS = {"migration", "migration_file"}
"""Kept by the migrations themselves."""

TYPES = {
    "UUID": "uuid",
    "TEXT": "text",
    "INTEGER": "integer",
    "SMALLINT": "smallint",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "TIMESTAMPTZ": "timestamp with time zone",
    "DATE": "date",
    "TIME": "time without time zone",
    "JSONB": "jsonb",
    "BYTEA": "bytea",
    "DOUBLE PRECISION": "double precision",
    "REAL": "real",
    "INTEGER[]": "integer[]",
    "TEXT[]": "text[]",
    "UUID[]": "uuid[]",
    "SMALLINT[]": "smallint[]",
    "TSTZRANGE": "tstzrange",
}

COLUMNS = """
SELECT c.relname AS name, a.attname AS column, format_type(a.atttypid, NULL) AS type,
       NOT a.attnotnull AS nullable
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind = 'r'
"""


def declared() -> dict[str, type[Table]]:
    found: dict[str, type[Table]] = {}
    for module in pkgutil.walk_packages(doorstep.__path__, "doorstep."):
        if module.name.endswith("tables"):
            for _, item in inspect.getmembers(
                importlib.import_module(module.name), inspect.isclass
            ):
                if issubclass(item, Table) and item is not Table:
                    assert item._meta.tablename not in found, "a table is declared twice"
                    found[item._meta.tablename] = item
    return found


@pytest.fixture
async def stored(db) -> dict[str, dict[str, tuple[str, bool]]]:
    tables: dict[str, dict[str, tuple[str, bool]]] = {}
    for row in await db.rows(COLUMNS):
        if row["name"] not in NOT_OURS:
            tables.setdefault(row["name"], {})[row["column"]] = (row["type"], row["nullable"])
    return tables


async def test_every_table_of_the_database_is_declared_once(stored) -> None:
    assert declared().keys() == stored.keys()


@pytest.mark.parametrize("name", sorted(declared()))
async def test_columns_types_and_nulls_are_the_databases(stored, name) -> None:
    told = {
        column._meta.db_column_name: (TYPES[column.column_type], column._meta.null)
        for column in declared()[name]._meta.columns
    }
    assert told == stored[name]
