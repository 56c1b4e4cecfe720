"""What a form is made of: its slots by type, what each demands, and what may be answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from doorstep.doors.field.captured import CAPTURES, ids_of
from doorstep.modules.tms.schemas import ScanKind

SlotType = Literal[
    "agreement",
    "answers",
    "bill",
    "boxes",
    "choice",
    "code",
    "codes",
    "count",
    "day",
    "difference",
    "dwell",
    "event",
    "explanations",
    "extras",
    "handover_code",
    "kept_back",
    "labels",
    "later",
    "photos",
    "pieces",
    "place",
    "product",
    "receipt",
    "receiver",
    "scans",
    "serials",
    "shelves",
    "sign_off",
    "signature",
    "sum",
    "taken",
    "tenders",
    "topics",
    "units",
    "words",
    "yes_no",
]
"""What the phone can ask: each type is one way of answering, whatever it is for."""


class Option(Struct):
    """An answer that may be chosen, and the pictures that it asks for."""

    value: str
    photo_slots: list[str]


class Slot(Struct, kw_only=True):
    """One thing to capture; `name` is where it stands in the capture's payload.

    `required`: the step is not passed over without saying so. With `proof` it is required where
    the recipe of the job names that proof, and only offered elsewhere. `scan_kind`: every beep is a
    capture of its own, of that kind, and no part of this one.
    """

    name: str
    type: SlotType
    required: bool
    proof: str | None
    options: list[Option]
    scan_kind: ScanKind | None


class Form(Struct, kw_only=True):
    """A piece of work on a job: what is captured, as which type and number, in which steps.

    `position`: where it stands among all. `job`: the kind of document it is done on; null where it
    stands alone. `job_id`: the name under which the payload says which job. `beside`: kinds of
    documents that it may be about without being a part of their work (`none`: it may be about none);
    then the payload says which one as `job_kind` and `job_id`. `offered_on`: kinds of documents whose
    boxes it may be about. `ends`: with it the job is over. `undo`: it may be taken back for ten
    seconds. `version` changes with anything of it, so that an answer to another form is never taken
    for one to this.
    """

    name: str
    position: int
    job: str | None
    job_id: str | None
    beside: list[str]
    offered_on: list[str]
    ends: bool
    capture: str
    schema: int
    undo: bool
    slots: list[Slot]
    version: str


@dataclass(frozen=True)
class Asked:
    """A form as it is written here; the rest of it follows from the capture it makes."""

    name: str
    job: str | None
    capture: str
    slots: Sequence[Slot] = ()
    undo: bool = field(default=False, kw_only=True)
    beside: Sequence[str] = field(default=(), kw_only=True)
    offered_on: Sequence[str] = field(default=(), kw_only=True)
    ends: bool = field(default=False, kw_only=True)

    def form(self, position: int = 0) -> Form:
        """Return it as the phone gets it."""
        captured = CAPTURES[self.capture]
        ids = ids_of(captured.handler)
        told = Form(
            name=self.name,
            position=position,
            job=self.job,
            job_id=ids[0] if ids else None,
            beside=[*self.beside],
            offered_on=[*self.offered_on],
            ends=self.ends,
            capture=self.capture,
            schema=captured.schema,
            undo=self.undo,
            slots=[*self.slots],
            version="",
        )
        told.version = hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:12]
        return told


def options(kind: Any, photos: Mapping[str, list[str]] | None = None) -> list[Option]:
    """Let every value of a Literal be chosen; `photos` are the pictures that some of them ask for.

    Whatever else there may be is read last.
    """
    values = sorted(get_args(kind), key=lambda value: value == "other")
    return [Option(value, (photos or {}).get(value, [])) for value in values]


def reason(struct: type[Struct], name: str, photos: Mapping[str, list[str]]) -> Slot:
    """Ask for one of the values that a capture takes in this place."""
    kind = next(one.type for one in msgspec.structs.fields(struct) if one.name == name)
    return slot(name, "choice", required=True, options=options(kind, photos))


def slot(
    name: str,
    kind: SlotType,
    *,
    required: bool = False,
    proof: str | None = None,
    options: Sequence[Option] = (),
    scan_kind: ScanKind | None = None,
) -> Slot:
    """Ask for one thing; see `Slot`."""
    return Slot(
        name=name,
        type=kind,
        required=required,
        proof=proof,
        options=[*options],
        scan_kind=scan_kind,
    )
