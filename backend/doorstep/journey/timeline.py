"""What the customer sees of the journey: twelve milestones in his language (SPEC T).

Pure: the stages that have happened go in, the sentences that are true now come out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import resources
from string import Formatter
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from doorstep.core.money import exponent
from doorstep.journey.detours import DETOURS
from doorstep.journey.stages import STAGES, Flags

LANGUAGES = ("en", "hi", "ar")

State = Literal["done", "current", "coming"]


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A stage that is settled, and how; `captured_at` is the phone's clock where one was there."""

    stage: int
    how: Literal["done", "implied", "not_applicable", "not_given"]
    recorded_at: datetime
    captured_at: datetime | None = None


class Parcel(Flags, frozen=True, kw_only=True):
    """What decides about the sentences of one parcel beside its stages.

    `ship_from` is the kind of location; `at_door_minor` is what the order still owes at the door,
    `paid_minor` what is captured already.
    """

    ship_from: str = "warehouse"
    currency: str = "AED"
    at_door_minor: int = 0
    paid_minor: int = 0


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline.

    `at` and `sentence` are None while it is coming: nothing is said before it is true (IO7).
    `how` is `implied` when a later event stands for a scan nobody made. `current` is the last one
    reached while more are to come.
    """

    id: str
    title: str
    sentence: str | None
    at: datetime | None
    state: State
    how: str | None


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    sentence: str
    variants: dict[str, str] = {}


class BadTexts(ValueError):
    """The texts of two languages do not say the same things; the program does not start."""


_STAGE_OF: Mapping[str, int] = {stage.milestone: stage.code for stage in STAGES if stage.milestone}
_APPLIES: Mapping[str, Callable[[Flags], bool]] = {
    stage.milestone: stage.applies_if for stage in STAGES if stage.milestone
}


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _load(language: str) -> dict[str, _Text]:
    raw = resources.files(__package__).joinpath(f"texts/timeline.{language}.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, _Text])


def _load_all() -> dict[str, dict[str, _Text]]:
    texts = {language: _load(language) for language in LANGUAGES}
    wanted = texts["en"]
    if list(wanted) != list(_STAGE_OF):
        raise BadTexts("the texts name other milestones than the table of stages")
    for language, own in texts.items():
        for milestone, text in wanted.items():
            other = own.get(milestone)
            if other is None or other.variants.keys() != text.variants.keys():
                raise BadTexts(f"{language} lacks {milestone} or one of its variants")
            for name, sentence in text.variants.items():
                if _placeholders(sentence) != _placeholders(other.variants[name]):
                    raise BadTexts(f"{language} {milestone} {name} has other placeholders")
    return texts


_TEXTS = _load_all()


def _load_delivered() -> dict[str, str]:
    raw = resources.files(__package__).joinpath("texts/delivered.json").read_bytes()
    texts = msgspec.json.decode(raw, type=dict[str, str])
    if set(texts) != set(LANGUAGES):
        raise BadTexts("a language cannot say how many parcels are delivered")
    return texts


_DELIVERED = _load_delivered()


def _load_detours() -> dict[str, dict[str, str]]:
    told = {detour.kind for detour in DETOURS if detour.told}
    dated = {f"{detour.kind}_dated" for detour in DETOURS if detour.told and detour.dated_by}
    for answer in ("accepted", "date_passed"):
        dated |= {f"{detour.kind}_{answer}" for detour in DETOURS if detour.accepted_by}
    loaded = {}
    for language in LANGUAGES:
        raw = resources.files(__package__).joinpath(f"texts/detours.{language}.json").read_bytes()
        loaded[language] = msgspec.json.decode(raw, type=dict[str, str])
        if set(loaded[language]) != told | dated:
            raise BadTexts(f"{language} has other detours than the table tells customers")
        for name, words in loaded[language].items():
            if _placeholders(words) != ({"date"} if name in dated else set()):
                raise BadTexts(f"{language} {name} has other placeholders")
    return loaded


_DETOURS = _load_detours()


def detour_words(
    kind: str, language: str, expected_on: date | None = None, *, accepted: bool = False
) -> str | None:
    """Say what a detour means for the customer, with its date if it has one; None for one not told."""
    if expected_on is None:
        return _DETOURS[language if language in _DETOURS else "en"].get(kind)
    return date_words(f"{kind}_accepted" if accepted else f"{kind}_dated", language, expected_on)


def date_words(event: str, language: str, day: date) -> str | None:
    """Say what became of a detour's date: it is set, accepted, or over (`short_stock_date_passed`)."""
    known = language if language in _DETOURS else "en"
    words = _DETOURS[known].get(event)
    return words and words.format(date=format_day(day, known))


_VISIT = msgspec.json.decode(
    resources.files(__package__).joinpath("texts/visit.json").read_bytes(), type=dict[str, str]
)


def visit_words(starts_at: datetime, zone: ZoneInfo, language: str) -> str:
    """Say when the installation is planned now, on the customer's clock."""
    known = language if language in _VISIT else "en"
    return _VISIT[known].format(when=format_when(starts_at, zone, known))


def format_when(at: datetime, zone: ZoneInfo, language: str) -> str:
    """Write a moment as people say it, on the clock of the place: `Tuesday 24 November, 14:00`."""
    return format_datetime(at.astimezone(zone), "EEEE d MMMM, HH:mm", locale=language)


def format_day(day: date, language: str) -> str:
    """Write a day as people say it: `Saturday 5 December 2026`."""
    return format_date(day, "EEEE d MMMM y", locale=language)


def format_amount(minor: int, currency: str) -> str:
    """Write 314800 AED as `AED 3,148.00`, in digits that every language here can read.

    Rupees are grouped as in India: `INR 1,23,456.00`.
    """
    decimals = exponent(currency)
    groups = "#,##,##0" if currency == "INR" else "#,##0"
    pattern = f"{groups}.{'0' * decimals}" if decimals else groups
    amount = Decimal(minor).scaleb(-decimals)
    return f"{currency} {format_decimal(amount, format=pattern, locale='en')}"


def timeline(reached: Sequence[Reached], parcel: Parcel, language: str) -> list[Milestone]:
    """Tell the milestones of one parcel: those that apply to it, done ones with their sentence.

    Stages that do not apply leave no line; implied ones are shown and say so (SPEC J readings).
    """
    settled = {step.stage: step for step in reached}
    texts = _TEXTS.get(language, _TEXTS["en"])
    shown = [
        milestone
        for milestone, code in _STAGE_OF.items()
        if _APPLIES[milestone](parcel) and not _skipped(settled.get(code))
    ]
    last = max((i for i, m in enumerate(shown) if _STAGE_OF[m] in settled), default=-1)
    open_ends = any(_STAGE_OF[m] not in settled for m in shown)
    return [
        _milestone(m, settled, parcel, texts[m], is_last=open_ends and i == last)
        for i, m in enumerate(shown)
    ]


def _skipped(step: Reached | None) -> bool:
    return step is not None and step.how == "not_applicable"


def _milestone(
    milestone: str, settled: Mapping[int, Reached], parcel: Parcel, text: _Text, *, is_last: bool
) -> Milestone:
    step = settled.get(_STAGE_OF[milestone])
    if step is None:
        return Milestone(
            id=milestone, title=text.title, sentence=None, at=None, state="coming", how=None
        )
    return Milestone(
        id=milestone,
        title=text.title,
        sentence=_sentence(milestone, text, settled, parcel),
        at=min(step.captured_at or step.recorded_at, step.recorded_at),
        state="current" if is_last else "done",
        how=step.how,
    )


def sentence(stage: int, parcel: Parcel, language: str) -> tuple[str, str]:
    """Tell (title, sentence) of the milestone that a stage just reached sets.

    Raises: KeyError for a stage that sets no milestone (1004 and 1017 are never told).
    """
    milestone = next(name for name, code in _STAGE_OF.items() if code == stage)
    text = _TEXTS.get(language, _TEXTS["en"])[milestone]
    return text.title, _sentence(milestone, text, {}, parcel)


def milestone_title(stage: int, language: str) -> str | None:
    """Name the milestone that a stage sets, as the timeline does; None for a stage without one."""
    own = _TEXTS.get(language, _TEXTS["en"])
    return next((own[name].title for name, code in _STAGE_OF.items() if code == stage), None)


def delivered_words(delivered: int, total: int, language: str) -> str:
    """Say how many of an order's parcels have arrived: `1 of 2 delivered`."""
    words = _DELIVERED.get(language, _DELIVERED["en"])
    return words.format(delivered=delivered, total=total)


def tells(stage: int) -> bool:
    """Tell whether a stage sets a milestone that customers see."""
    return stage in _STAGE_OF.values()


class _Choice(NamedTuple):
    variant: str | None
    amount: str = ""


def _sentence(milestone: str, text: _Text, settled: Mapping[int, Reached], parcel: Parcel) -> str:
    choice = _choose(milestone, settled, parcel)
    if choice.variant not in text.variants:
        return text.sentence
    return text.variants[choice.variant].format(amount=choice.amount)


def _choose(milestone: str, settled: Mapping[int, Reached], parcel: Parcel) -> _Choice:
    """Pick the variant where the plain sentence would be false."""
    if milestone == "T2" and parcel.at_door_minor and _STAGE_OF["T9"] not in settled:
        amount = format_amount(parcel.at_door_minor, parcel.currency)
        return _Choice("part_at_door" if parcel.paid_minor else "at_door", amount)
    if milestone == "T9" and parcel.collection:
        return _Choice("collected")
    if milestone in ("T3", "T4"):
        return _Choice(parcel.ship_from)
    return _Choice(None)


def describe_milestones() -> list[dict[str, Any]]:
    """Describe the twelve milestones with all their texts, for api_schema/journey.json."""
    return [_describe(milestone, code) for milestone, code in _STAGE_OF.items()]


def _describe(milestone: str, code: int) -> dict[str, Any]:
    texts = {language: _TEXTS[language][milestone] for language in LANGUAGES}
    return {
        "id": milestone,
        "stage": code,
        "title": {language: text.title for language, text in texts.items()},
        "sentence": {language: text.sentence for language, text in texts.items()},
        "variants": {
            name: {language: text.variants[name] for language, text in texts.items()}
            for name in texts["en"].variants
        },
    }
