"""No body of a capture changes under a number that phones in the field send (N-1 is read)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from doorstep.commands import describe
from doorstep.doors.field import pods, runs
from doorstep.doors.field.captured import CAPTURES, Captured
from doorstep.doors.field.captured_schemas import CapturedBodyChanged, merged, schema_of


@pytest.fixture
def kept() -> Any:
    """What is promised to phones, as it is committed."""
    return json.loads((describe.FOLDER / describe.CAPTURES).read_text(encoding="utf-8"))


def same(payload: dict[str, Any]) -> dict[str, Any]:
    return payload


def test_every_body_is_as_it_was_promised(kept: Any) -> None:
    assert merged(kept) == kept


def test_every_type_that_has_grown_reads_the_number_before_which_is_kept_too(kept: Any) -> None:
    grown = {name: one for name, one in CAPTURES.items() if one.schema > 1}
    assert grown
    for name, one in grown.items():
        assert one.earlier is not None, name
        assert set(kept[name]) == {str(one.schema - 1), str(one.schema)}, name
        assert kept[name][str(one.schema - 1)] != kept[name][str(one.schema)], name
    assert all(one.earlier is None for one in CAPTURES.values() if one.schema == 1)


def test_a_body_that_changes_without_its_number_is_named(kept: Any) -> None:
    other = CAPTURES | {"pod.record": replace(CAPTURES["pod.record"], handler=runs.accept_run)}
    with pytest.raises(CapturedBodyChanged, match=r"pod\.record .* number 2"):
        merged(kept, other)


def test_with_the_next_number_it_may_change_and_the_one_before_stays_promised(kept: Any) -> None:
    third = Captured(runs.accept_run, schema=3, earlier=same)
    found = merged(kept, CAPTURES | {"pod.record": third})["pod.record"]
    assert found == {"2": kept["pod.record"]["2"], "3": schema_of(third)}
    with pytest.raises(CapturedBodyChanged, match=r"pod\.record of schema 2"):
        merged(kept, CAPTURES | {"pod.record": replace(third, earlier=None)})


def test_a_type_that_phones_send_does_not_go_away(kept: Any) -> None:
    left = {name: one for name, one in CAPTURES.items() if name != "pod.record"}
    with pytest.raises(CapturedBodyChanged, match=r"pod\.record"):
        merged(kept, left)


def test_words_and_names_of_classes_are_no_promise() -> None:
    text = json.dumps(schema_of(Captured(pods.add_pod)))
    assert '"title"' not in text and '"$ref"' not in text and '"description"' not in text
    assert '"preview_sha256"' in text


def test_the_command_names_it_and_writes_nothing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kept: Any
) -> None:
    kept["shift.open"]["1"]["required"] = []
    (tmp_path / describe.CAPTURES).write_text(json.dumps(kept), encoding="utf-8")
    monkeypatch.setattr(describe, "FOLDER", tmp_path)
    for check in (True, False):
        assert describe.schema(check=check) == 1
        assert "shift.open" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == [describe.CAPTURES]
