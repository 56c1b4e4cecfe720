"""From what the database shows to what the page says: pure, so that each word can be tested."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from doorstep.core.ids import uuid7
from doorstep.doors.track import rules
from doorstep.doors.track.page_schemas import (
    Attempt,
    PageFacts,
    Paper,
    ParcelMore,
    Scan,
    SpanFacts,
    Stop,
    Technician,
)
from doorstep.doors.track.page_words import Words
from doorstep.doors.track.reading import tracking_of
from doorstep.doors.track.schemas import ParcelFacts, TrackedParcel, Tracking
from doorstep.journey.timeline import milestone_title

OUT_FOR_DELIVERY, DELIVERED = rules.OUT_FOR_DELIVERY, rules.DELIVERED
RESERVED, INSTALLED = 1003, 1015


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A line of the timeline."""

    title: str
    sentence: str
    when: str
    state: str
    implied: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A scan on the way."""

    words: str
    place: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One parcel as it is shown; empty texts are not shown."""

    n: int
    event_id: str
    goods: str
    status: str
    sentence: str
    held_up: bool
    ended: bool
    progress: int
    progress_words: str
    next_title: str
    next_words: str
    next_notes: list[str]
    plug_in: str
    who: str
    portrait: str
    """The hash of the portrait of whoever comes; only after signing in."""

    portrait_words: str
    steps: list[Step]
    carrier: str
    awb: str
    last_seen: str
    seen: list[Seen]
    accept_on: date | None
    accept_words: str
    may_cancel: bool
    may_rate: bool
    rate_installation: bool
    rated: bool
    papers: list[Paper]
    repairs: list[str]
    has_code: bool
    code: str
    """What the customer says at the door; only after signing in, while somebody is on the way."""

    attempt: list[str]
    steps_to: list[tuple[str, str]]
    """Where the customer may go from here: a part of the address, and the words of its link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The main part of the page."""

    number: str
    version: str
    title: str
    parcels: list[Card]
    address: list[str]
    instructions: str
    invoice: bool
    proofs: list[int]
    support_phone: str
    receipts: list[str]
    signed_in: bool


def page_of(
    facts: PageFacts,
    stops: Sequence[Stop],
    technicians: Sequence[Technician],
    words: Words,
    *,
    codes: Mapping[int, str],
    version: str,
    support_phone: str,
    signed_in: bool,
    present: datetime,
) -> Page:
    """Put together what is shown; before signing in nobody is named."""
    tracking = tracking_of(facts.order)
    raw = {parcel.parcel: parcel for parcel in facts.order.parcels}
    more = {parcel.parcel: parcel for parcel in facts.parcels}
    run = {stop.parcel: stop for stop in stops}
    visits = {one.parcel: one for one in technicians}
    cards = [
        _card(
            parcel,
            raw[parcel.parcel],
            more[parcel.parcel],
            run.get(parcel.parcel),
            visits.get(parcel.parcel),
            words,
            code=codes.get(parcel.parcel, ""),
            zone=ZoneInfo(facts.zone),
            named=signed_in,
            present=present,
        )
        for parcel in tracking.parcels
    ]
    return Page(
        number=tracking.order_number,
        version=version,
        title=_title(tracking, cards),
        parcels=cards,
        address=_address(facts) if signed_in else [],
        instructions=facts.address.instructions if signed_in and facts.address else "",
        invoice=bool(signed_in and facts.invoices),
        support_phone=support_phone,
        proofs=facts.proofs if signed_in else [],
        receipts=facts.receipts if signed_in else [],
        signed_in=signed_in,
    )


def _title(tracking: Tracking, cards: Sequence[Card]) -> str:
    return cards[0].status if len(cards) == 1 else tracking.words


def _address(facts: PageFacts) -> list[str]:
    """Write the address; nothing of it stands there twice."""
    address = facts.address
    if address is None:
        return []
    house = [part for part in (address.building, address.floor, address.flat) if part]
    told = address.building and all(_in_words(part, address.line1) for part in house)
    door = "" if told else ", ".join(house)
    # Where there are no postcodes, shops ask for one all the same.
    code = address.postcode if address.postcode.strip("0") else ""
    town = dict.fromkeys(filter(None, (address.area, address.city, address.region, code)))
    return [line for line in (address.name, address.line1, door, ", ".join(town)) if line]


def _in_words(part: str, line: str) -> bool:
    """Tell whether a line has all of a part as words of its own: floor 2 is not in "Road 214"."""
    spaced = [" ".join(["", *re.findall(r"\w+", text.lower()), ""]) for text in (part, line)]
    return spaced[0] in spaced[1]


def _card(
    parcel: TrackedParcel,
    facts: ParcelFacts,
    more: ParcelMore,
    stop: Stop | None,
    technician: Technician | None,
    words: Words,
    *,
    code: str,
    zone: ZoneInfo,
    named: bool,
    present: datetime,
) -> Card:
    settled = {step.stage for step in facts.reached}
    at_the_door = OUT_FOR_DELIVERY in settled and DELIVERED not in settled
    ended, told = parcel.ended_as is not None, parcel.detours
    failed = any(detour.kind == "delivery_failed" for detour in told)
    current = next((m for m in parcel.milestones if m.state == "current"), None)
    last = current or next((m for m in reversed(parcel.milestones) if m.state == "done"), None)
    coming = next((m for m in parcel.milestones if m.state == "coming"), None)
    visit = _span(more.visit)
    following = rules.what_next(
        settled,
        needs_install=facts.needs_install,
        ended=ended,
        held_up=bool(told),
        window=_span(more.window),
        visit=visit,
        road=_road(stop),
        present=present,
    )
    title, sentence, notes = _next(following, coming.title if coming else "", words, present)
    delivered_at = next((m.at for m in parcel.milestones if m.id == "T9" and m.at), None)
    after = rules.plug_in_after(delivered_at, more.standing_hours, present)
    asked = next((d for d in told if d.expected_on and parcel.may_accept), None)
    seen_at = next((scan for scan in more.scans if scan.place), None)
    milestone = last.title if last else ""
    who, portrait, portrait_words = _who(
        _comes(settled, stop, technician, visit, zone=zone, present=present), words, named=named
    )
    return Card(
        n=parcel.parcel,
        event_id=str(uuid7()),
        goods=words.listed(f"{line.quantity}\u00a0×\u00a0{line.name}" for line in parcel.lines),
        # Under a detour its sentence leads, and the percentage stands still.
        status=told[0].sentence if told else milestone,
        sentence="" if told else (last.sentence or "") if last else "",
        held_up=bool(told),
        ended=ended,
        progress=parcel.progress,
        progress_words=words("frozen" if told else "progress", percent=parcel.progress),
        next_title=title,
        next_words=sentence,
        next_notes=notes,
        plug_in=words("plug_in", when=words.when(after)) if after else "",
        who=who,
        portrait=portrait,
        portrait_words=portrait_words,
        steps=[
            Step(
                title=m.title,
                sentence=m.sentence or "",
                when=words.when(m.at) if m.at else "",
                state=m.state,
                implied=m.how == "implied",
            )
            for m in parcel.milestones
        ],
        carrier=more.carrier or "",
        awb=parcel.awb or "",
        last_seen=words("last_seen", place=seen_at.place, when=words.when(seen_at.at))
        if seen_at and DELIVERED not in settled
        else "",
        seen=[
            Seen(words=_scanned(scan, words), place=scan.place or "", when=words.when(scan.at))
            for scan in _once_each(more.scans)
        ],
        accept_on=asked.expected_on if asked else None,
        accept_words=words("accept_why", day=words.day(asked.expected_on))
        if asked and asked.expected_on
        else "",
        may_cancel=parcel.may_cancel and not ended,
        may_rate=parcel.may_rate and not ended,
        rate_installation=facts.needs_install,
        rated=parcel.rated,
        papers=more.papers,
        repairs=[
            words("repair", when=words.between(span.from_at, span.until_at, present))
            for span in map(_span, more.repairs)
            if span is not None
        ],
        has_code=not ended and at_the_door,
        code=code if not ended and at_the_door else "",
        attempt=attempt_words(more.attempt, words) if failed and more.attempt and not ended else [],
        steps_to=[
            (f"parcels/{parcel.parcel}/{step}", words(said))
            for step, said in _steps_to(settled, facts, failed, more.attempt)
        ]
        if not ended
        else [],
    )


def attempt_words(attempt: Attempt, words: Words) -> list[str]:
    """Say what was reported of a delivery that failed, and what the customer has answered to it."""
    reason = words(f"reason_{attempt.reason or 'other'}")
    told = [words("attempt_reported", when=words.when(attempt.at), reason=reason)]
    if attempt.said is not None:
        told.append(words("attempt_you", said=words(f"attempt_{attempt.said}")))
    return told


def _steps_to(
    settled: set[int], facts: ParcelFacts, failed: bool, attempt: Attempt | None
) -> Iterator[tuple[str, str]]:
    """List what a customer may do about a parcel as it stands; the pages themselves know best."""
    if failed and not (attempt and attempt.said):
        yield "attempt", "attempt_link"
    if RESERVED in settled and OUT_FOR_DELIVERY not in settled and not facts.collection:
        yield "times/delivery", "choose_delivery"
    if facts.needs_install and RESERVED in settled and INSTALLED not in settled:
        yield "times/visit", "choose_visit"
    if DELIVERED in settled:
        yield "problem", "report"
        yield "return", "return"
    if facts.certificates:
        yield "warranty", "claim"


def _span(span: SpanFacts | None) -> rules.Span | None:
    if span is None or span.from_at is None or span.until_at is None:
        return None
    return rules.Span(span.from_at, span.until_at)


def _road(stop: Stop | None) -> rules.Road | None:
    if stop is None:
        return None
    return rules.Road(stop.on_the_road, stop.stops_before, stop.accepted_at, stop.closed)


def _next(
    found: rules.Next, coming: str, words: Words, present: datetime
) -> tuple[str, str, list[str]]:
    """Say what comes next: a title, a sentence, and what it is reckoned by."""
    if found.kind in ("arriving", "late", "window", "visit"):
        if found.from_at is None or found.until_at is None:
            raise ValueError(f"{found.kind} without its time")
        title = words("visit" if found.kind == "visit" else "window")
        notes = []
        if found.cause is not None:
            notes = [words.count("stops", found.stops_before), words(f"cause_{found.cause}")]
        if found.kind == "late":
            notes.insert(0, words("late"))
        return title, words.between(found.from_at, found.until_at, present), notes
    if found.kind in ("on_the_road", "visit_unplanned"):
        return words("next"), words(found.kind), []
    if found.kind == "milestone" and coming:
        return words("next"), words("milestone", title=coming), []
    return "", "", []


def _comes(
    settled: set[int],
    stop: Stop | None,
    technician: Technician | None,
    visit: rules.Span | None,
    *,
    zone: ZoneInfo,
    present: datetime,
) -> Stop | Technician | None:
    """Tell who comes, while it matters."""
    if stop and rules.comes_on(
        stop.planned_on,
        out_for_delivery=OUT_FOR_DELIVERY in settled and stop.on_the_road,
        delivered=DELIVERED in settled,
        zone=zone,
        present=present,
    ):
        return stop
    today = visit is not None and rules.is_today(visit.from_at, zone, present)
    if technician and today and DELIVERED in settled:
        return technician
    return None


def _who(comes: Stop | Technician | None, words: Words, *, named: bool) -> tuple[str, str, str]:
    """Say who comes, and by what he is known: before signing in by the first letter only (IA1)."""
    if comes is None:
        return "", "", ""
    name = words.isolated(comes.first_name if named else rules.initial(comes.first_name))
    said = words("courier" if isinstance(comes, Stop) else "technician", name=name)
    if not named or not comes.portrait:
        return said, "", ""
    return said, comes.portrait, words("portrait", name=name)


def _once_each(scans: Sequence[Scan]) -> Iterator[Scan]:
    """Tell but the last of the scans in a row that say the same: each box has one of its own."""
    for _, alike in groupby(scans, key=lambda scan: (scan.what, scan.place)):
        yield next(alike)


def _scanned(scan: Scan, words: Words) -> str:
    """Say what a scan was: the stage it proves in the words of the timeline, or its own."""
    if scan.what.isdecimal():
        return milestone_title(int(scan.what), words.language) or words("scan_news")
    return words(f"scan_{scan.what}" if scan.what else "scan_news")
