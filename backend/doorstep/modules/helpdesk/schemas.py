"""What field workers say beside the flows of their jobs; every text is bounded."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from doorstep.core.captures import Captured, Moment, Photo

JobKind = Literal[
    "stop", "run", "visit", "pick_list", "arrival", "manifest", "count", "shift"
]  # fmt: skip
"""The jobs that words may be about, as the phone calls their documents."""

About = Literal["goods", "address", "customer", "vehicle", "safety", "app", "other"]
"""What a problem of a field worker is about."""

Words = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Photos = Annotated[list[Photo], Meta(max_length=10)]


class Said(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Words, and pictures beside them. `event_id` is made by the phone, once per capture."""

    event_id: UUID
    captured_at: Moment
    words: Words
    photos: Photos = []


class Note(Said, kw_only=True, forbid_unknown_fields=True):
    """What the next person should know about a job."""

    job_kind: JobKind
    job_id: UUID


class ProblemReport(Said, kw_only=True, forbid_unknown_fields=True):
    """What a person at a desk has to help with, on a job or on none."""

    about: About
    job_kind: JobKind | None = None
    job_id: UUID | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.job_kind is None) != (self.job_id is None):
            raise ValueError("A job has a kind and an id.")


class Amendment(Said, kw_only=True, forbid_unknown_fields=True):
    """What was wrong with an earlier capture, which stays as it is."""

    amends: UUID


CODE_TOLD = "The customer has told the code."
"""What an appeal says that tells a code and nothing else."""


class Appeal(Said, kw_only=True, forbid_unknown_fields=True):
    """Why a proof should count that was not accepted; a code that was told later may say it alone."""

    words: Words = CODE_TOLD
    handover_code: Annotated[str, Meta(min_length=1, max_length=12)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.handover_code is None and self.words == CODE_TOLD:
            raise ValueError("An appeal says why, or tells the code.")
