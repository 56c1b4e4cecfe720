"""The file that says what an erasure does is whole in itself."""

from __future__ import annotations

import pytest

from doorstep.flows import erasure_columns
from doorstep.flows.erasure import Traces

DECISIONS = erasure_columns.decisions()
TABLES = DECISIONS["tables"]


def test_every_reason_is_given_in_words_and_used() -> None:
    used = {
        reason
        for table in TABLES.values()
        for reason in (*table.get("erase", {}), *table.get("keep", {}), table.get("goes"))
    } - {None}
    assert used == DECISIONS["reasons"].keys()
    assert all(words.endswith(".") for words in DECISIONS["reasons"].values())


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_table_says_which_rows_it_means_where_it_erases_any(name: str) -> None:
    table = TABLES[name]
    assert table.keys() <= {"rows", "goes", "erase", "keep"}
    assert ("rows" in table) == ("goes" in table or "erase" in table)
    assert not ("goes" in table and "erase" in table)


def test_statements_ask_only_for_what_is_known_of_a_customer() -> None:
    known = set(Traces.__struct_fields__)
    for statement in erasure_columns.statements():
        assert set(statement.names) <= known, statement.table
        assert "@" not in statement.sql, statement.table
    assert {statement.table for statement in erasure_columns.statements()} == {
        name for name, table in TABLES.items() if "rows" in table
    }


def test_pictures_go_after_everything_that_names_them() -> None:
    order = ["files" in statement.names for statement in erasure_columns.statements()]
    first = order.index(True)
    pictures = {one.table for one in erasure_columns.statements()[first:]}
    assert pictures == {
        "picture", "picture_measure", "picture_refusal", "picture_preview", "upload", "upload_part",
    }  # fmt: skip
