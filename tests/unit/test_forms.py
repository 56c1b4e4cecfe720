"""What the phone is told to ask for is what the captures take."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints
from uuid import uuid4

import msgspec
import pytest

from doorstep.core.actor import ROLES, Actor
from doorstep.doors.field.captured import CAPTURES, ids_of
from doorstep.doors.field.captured_schemas import schema_of
from doorstep.doors.field.document_kinds import Document
from doorstep.doors.field.form_shapes import Asked, Form, Slot
from doorstep.doors.field.forms import FORMS, forms_for

FROM_THE_PHONE = {"event_id", "captured_at", "shown_minor", "job_kind", "job_id"}
"""What stands in a payload without being asked: the envelope's own, the job, what was on the screen."""

EACH = pytest.mark.parametrize("asked", FORMS, ids=lambda asked: asked.name)


def body_of(asked: Asked) -> dict[str, Any]:
    properties: dict[str, Any] = schema_of(CAPTURES[asked.capture])["properties"]
    return properties


def own(asked: Asked) -> list[Slot]:
    """The slots that are part of the form's own capture."""
    return [slot for slot in asked.slots if slot.scan_kind is None]


@EACH
def test_each_slot_is_a_field_of_its_capture(asked: Asked) -> None:
    assert {slot.name for slot in own(asked)} <= body_of(asked).keys()


@EACH
def test_each_field_that_a_capture_demands_is_asked_for(asked: Asked) -> None:
    body = get_type_hints(CAPTURES[asked.capture].handler.fn)["data"]
    demanded = {one.name for one in msgspec.structs.fields(body) if one.required}
    scanned = {"scans"} if any(slot.scan_kind for slot in asked.slots) else set()
    assert demanded - FROM_THE_PHONE - scanned <= {slot.name for slot in own(asked)}


@EACH
def test_each_choice_offers_what_its_capture_takes_and_nothing_else(asked: Asked) -> None:
    for slot in own(asked):
        if slot.type == "choice":
            taken = set(body_of(asked)[slot.name]["enum"])
            assert {option.value for option in slot.options} == taken


@EACH
def test_pictures_that_an_answer_asks_for_have_a_slot_in_the_form(asked: Asked) -> None:
    wanted = [one for slot in asked.slots for option in slot.options for one in option.photo_slots]
    assert not wanted or "photos" in {slot.name for slot in asked.slots}


@EACH
def test_a_form_names_the_one_job_that_its_request_is_about(asked: Asked) -> None:
    assert asked.form().job_id in [*ids_of(CAPTURES[asked.capture].handler), None]
    assert len(ids_of(CAPTURES[asked.capture].handler)) <= 1


def test_the_code_is_asked_for_last() -> None:
    """Whoever has told it has let go of the only thing that they hold (field-app.md §4.14)."""
    deliver = next(asked for asked in FORMS if asked.name == "deliver")
    assert deliver.slots[-1].name == "handover_code"


def test_a_version_changes_with_anything_of_the_form_and_with_nothing_else() -> None:
    before = FORMS[0].form()
    assert before.version == FORMS[0].form().version
    other = Asked(FORMS[0].name, FORMS[0].job, FORMS[0].capture, undo=True).form()
    assert other.version != before.version


KINDS = {kind.__struct_config__.tag for kind in get_args(Document)}


def test_what_may_be_offered_elsewhere_or_ends_a_job_names_documents_that_there_are() -> None:
    """The phone knows neither by the name of a form: each job that has an end has a form for it."""
    for asked in FORMS:
        assert {*asked.offered_on} <= KINDS and asked.job in {None, *KINDS}
        assert asked.job is not None or not asked.ends
    ended = {asked.job for asked in FORMS if asked.ends}
    assert ended == {"manifest", "stop", "visit", "pick_list", "arrival", "count"}
    [report] = [asked for asked in FORMS if asked.name == "report_piece"]
    assert report.form().offered_on == ["manifest", "cargo", "stop", "shift", "waiting"]


def test_people_get_the_forms_of_what_they_may_capture() -> None:
    def names(role: str) -> set[str]:
        actor = Actor(role=role, source="phone", person_id=uuid4())
        return {form.name for _, form in forms_for(actor)}

    assert {"deliver", "not_delivered", "load", "take_run"} <= names("delivery")
    assert {"complete_visit", "cannot_finish"} <= names("technician")
    assert {"check", "pack", "receive", "count"} <= names("warehouse")
    assert names("delivery").isdisjoint({"check", "complete_visit"})
    assert names("finance") == set()


def test_every_form_is_offered_to_somebody_under_an_id_of_its_own() -> None:
    found: dict[Any, Form] = {}
    for role in ROLES:
        for form_id, form in forms_for(Actor(role=role, source="phone", person_id=uuid4())):
            assert found.setdefault(form_id, form) == form
    assert {form.name for form in found.values()} == {asked.name for asked in FORMS}


@EACH
def test_whatever_else_there_is_is_offered_last(asked: Asked) -> None:
    for slot in asked.slots:
        values = [option.value for option in slot.options]
        assert "other" not in values[:-1], slot.name
