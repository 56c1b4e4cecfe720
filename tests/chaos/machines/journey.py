"""Parcels of one order: everybody says everything, early, late, twice and at once."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid5

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from doorstep import doctor, journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Refusal
from doorstep.flows.place_order import place_order
from doorstep.journey import Evidence
from doorstep.journey.detours import DETOURS
from doorstep.journey.stages import BY_CODE, STAGES, Flags
from tests.factories.care import reacting
from tests.factories.world import SHOP, an_order, make_world
from tests.models.journey import Case, Parcel, Refused, Reused, Said, Who
from tests.support.schedules import Schedule

NAMES = uuid5(UUID(int=0), "schedules")
ASKED = ("IA8 events", "IA8 heads", "IO2", "IO2 detours", "IO5", "IC1 held")
VIOLATIONS = " UNION ALL ".join(
    f"SELECT '{name}' || ' ' || q.subject || ' ' || q.detail AS words FROM ({doctor.QUERIES[name]}) q"
    for name in ASKED
)
PICTURE = """
SELECT f.id, f.passed, f.attempt, f.ended_as, f.progress, f.state,
       ARRAY(SELECT e.kind || '|' || e.name || '|' || e.how || '|' || e.verdict
               FROM journey_event e WHERE e.fulfilment_id = f.id) AS events,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(d.kind, d.attempt, d.closed_as)), '[]')
          FROM detour_case d WHERE d.fulfilment_id = f.id) AS cases,
       ARRAY(SELECT h.stage FROM held_step h WHERE h.fulfilment_id = f.id AND h.released_at IS NULL)
         AS waiting
  FROM fulfilment f WHERE f.id = ANY ($1)
"""
SAYS_NO = {
    "StageTooEarly": {"held"}, "StageAlreadyDone": {"duplicate", "review"},
    "RoleNotAllowed": {"rejected"}, "EvidenceMissing": {"rejected"}, "FulfilmentEnded": {"review"},
    "StageNotApplicable": {"review"}, "DetourNotPossible": {"review", "duplicate"},
    "DetourKnown": {"duplicate"},
}  # fmt: skip
"""Refusal of a person → the verdicts that it stands for."""

SOURCES = ["phone", "phone", "person", "carrier", "scan", "system", "webhook"]
KINDS = [row.kind for row in DETOURS]
NAMES_OF_REACTIONS = [
    *(str(stage.code) for stage in STAGES), *KINDS, *(f"{kind}_settled" for kind in KINDS),
    "detour_opened", "detour_settled", "detour_overtaken", "review_opened", "bytes_verified",
]  # fmt: skip

parcels = st.integers(0, 3)
people = st.sampled_from([1, 2, None])
sources = st.sampled_from(SOURCES)
flags = st.builds(
    Flags, needs_vendor=st.booleans(), needs_install=st.booleans(), has_warranty=st.booleans(),
    collection=st.sampled_from([False, False, True]),
)  # fmt: skip


starts = st.sampled_from(
    [1001, 1001, 1003, 1005, 1008, 1008, 1009, 1010, 1012, 1012, 1013, 1014, 1015]
)
PERCENT = {stage.code: stage.progress for stage in STAGES}


@dataclass(frozen=True)
class Deed:
    """Something that is said of a parcel: once to the product, once to the model."""

    event: str
    parcel: int
    what: str
    who: Who
    stage: int = 0
    kind: str = ""
    proofs: tuple[str, ...] = ()
    overtaken: bool = False


@dataclass(frozen=True)
class Place:
    """Where the schedules play: an order to add parcels to."""

    base: dict[str, Any]
    order_line: UUID
    product: UUID
    vendor: UUID


class JourneyMachine(Schedule):
    place: ClassVar[Place]
    tamper: ClassVar[Callable[..., Any]]
    reacted: ClassVar[list[tuple[UUID, str]]] = []

    @classmethod
    @asynccontextmanager
    async def opened(cls, tamper: Callable[..., Any]) -> AsyncIterator[None]:
        world = await make_world()
        await place_order(an_order(("WM-7KG", 1)), actor=SHOP, may_be_short=False)
        base = await db.one("SELECT * FROM fulfilment")
        line = await db.one("SELECT order_line_id, product_id FROM fulfilment_line")
        cls.place = Place(base, line["order_line_id"], line["product_id"], world.vendor_id)
        cls.tamper = staticmethod(tamper)

        async def note(fact: journey.Fact) -> None:
            db.after_commit(lambda: cls.reacted.append((fact.fulfilment_id, fact.name)))

        with reacting({name: [note] for name in NAMES_OF_REACTIONS}):
            yield

    # --- The parcels --------------------------------------------------------------------------------

    @initialize(
        kinds=st.lists(st.tuples(flags, starts), min_size=1, max_size=3), short=st.booleans()
    )
    def begin(self, kinds: list[tuple[Flags, int]], short: bool) -> None:
        self.model: list[Parcel] = []
        self.ids: list[UUID] = []
        self.deeds: list[Deed] = []
        self.reacted.clear()
        self.do(self._sweep())
        for n, (kind, start) in enumerate(kinds):
            self._add(kind, start, short=short and start == 1001 and n == 0)

    async def _sweep(self) -> None:
        base = self.place.base["id"]
        await self.tamper(
            *(f"DELETE FROM {table} WHERE fulfilment_id <> '{base}'"
              for table in ("journey_event", "held_step", "detour_case", "fulfilment_line")),
            f"DELETE FROM fulfilment WHERE id <> '{base}'",
        )  # fmt: skip

    def _add(
        self, kind: Flags, start: int, *, short: bool = False, replaces: UUID | None = None
    ) -> None:
        number = len(self.model)
        parcel = Parcel(kind)
        born = journey.Born(
            id=uuid5(NAMES, f"parcel {number}"), parcel=number + 2,
            lines=(journey.BornLine(order_line_id=self.place.order_line,
                                    product_id=self.place.product, quantity=1),),
            location_id=None if short else self.place.base["location_id"],
            owner_id=self.place.vendor if kind.needs_vendor else None,
            needs_install=kind.needs_install, has_warranty=kind.has_warranty,
            collection=kind.collection, replaces_id=replaces, short="no stock" if short else "",
        )  # fmt: skip
        if short:
            parcel.history.append(Said("short_stock", "detour"))
            parcel.cases.append(Case("born", "short_stock", 1))
        self.model.append(parcel)
        self.ids.append(born.id)
        for stage in STAGES:
            if 1001 < stage.code <= start and stage.code not in parcel.passed():
                parcel.advance(
                    "", stage.code, Who(min(stage.roles), "system"), tuple(stage.evidence)
                )
                parcel.answers.clear()
        parcel.reacted.clear()
        self.do(self._begin(born, parcel))
        self._agree()

    async def _begin(self, born: journey.Born, parcel: Parcel) -> None:
        """Begin a parcel; the stages it has passed already are written in one go."""
        moment = now()
        passed = [
            {
                "event_id": uuid5(born.id, said.name), "kind": "stage", "name": said.name,
                "stage": said.stage, "ends_as": None, "how": said.how, "verdict": "applied",
                "reason": "", "actor_id": None, "actor_role": "system", "source": "system",
                "device": "system:test", "captured_at": moment, "recorded_at": moment,
                "request_id": "", "evidence": [{"kind": "start", "ref": "", "sha256": None}],
            }
            for said in parcel.history
            if said.stage != 1001 and said.kind == "stage"
        ]  # fmt: skip
        async with db.unit_of_work():
            await journey.lock(self.place.base["id"])
            await journey.begin(born, self.place.base, actor=Actor.system("test"))
            if passed:
                at = max(code for code, percent in PERCENT.items() if percent <= parcel.percent())
                await db.value(
                    "SELECT journey_append($1, $2, $3, $4)", born.id, passed, at, parcel.percent()
                )

    @rule(kind=flags, start=starts)
    def replace(self, kind: Flags, start: int) -> None:
        ended = [one for one, parcel in zip(self.ids, self.model, strict=True) if parcel.ended_as]
        if ended and len(self.model) < 4:
            self._add(kind, start, replaces=ended[0])

    # --- What may be said ---------------------------------------------------------------------------

    def _event(self) -> str:
        return f"event {len(self.deeds)}"

    def _choose(self, parcel: int) -> int:
        return parcel % len(self.model)

    def _next(self, parcel: int, ahead: int = 0) -> int:
        """Tell the first stage that is not passed, or one further ahead."""
        passed = self.model[parcel].passed()
        left = [stage.code for stage in STAGES if stage.code not in passed]
        return left[min(ahead, len(left) - 1)] if left else STAGES[-1].code

    @rule(parcel=parcels, times=st.integers(1, 5), source=sources, person=people)
    def go_on(self, parcel: int, times: int, source: str, person: int | None) -> None:
        chosen = self._choose(parcel)
        for _ in range(times):
            self._say(self._step(chosen, self._next(chosen), source, person))

    @rule(
        parcel=parcels, ahead=st.sampled_from([1, 1, 2, 3, 4, 6]), source=sources, person=people,
        carrier=st.booleans(),
    )  # fmt: skip
    def come_early(
        self, parcel: int, ahead: int, source: str, person: int | None, carrier: bool
    ) -> None:
        chosen = self._choose(parcel)
        self._say(self._step(chosen, self._next(chosen, ahead), source, person, carrier=carrier))

    @rule(
        parcel=parcels, stage=st.sampled_from([s.code for s in STAGES[1:]]), source=sources,
        person=people, role=st.sampled_from(["", "", "", "vendor", "customer", "system"]),
        proofs=st.sampled_from([None, None, None, (), ("carrier_event",), ("pod", "visit")]),
    )  # fmt: skip
    def come_late_or_wrong(
        self, parcel: int, stage: int, source: str, person: int | None, role: str,
        proofs: tuple[str, ...] | None,
    ) -> None:  # fmt: skip
        chosen = self._choose(parcel)
        self._say(self._step(chosen, stage, source, person, role=role, proofs=proofs))

    def _step(
        self, parcel: int, stage: int, source: str, person: int | None, *, role: str = "",
        proofs: tuple[str, ...] | None = None, carrier: bool = False,
    ) -> Deed:  # fmt: skip
        row = BY_CODE[stage]
        if proofs is None:
            carried = carrier and "carrier_event" in row.evidence
            proofs = ("carrier_event" if carried else min(row.evidence),)
        who = Who(role or min(row.roles), source, person)
        return Deed(self._event(), parcel, "advance", who, stage=stage, proofs=proofs)

    @rule(
        parcel=parcels, kind=st.sampled_from(KINDS), source=sources, person=people,
        overtaken=st.sampled_from([False, False, False, True]), stranger=st.booleans(),
    )  # fmt: skip
    def meet_any_detour(
        self, parcel: int, kind: str, source: str, person: int | None, overtaken: bool,
        stranger: bool,
    ) -> None:  # fmt: skip
        self._say(self._report(self._choose(parcel), kind, source, person, overtaken, stranger))

    @rule(parcel=parcels, n=st.integers(0, 20), source=sources, person=people)
    def meet_a_detour_of_the_place(
        self, parcel: int, n: int, source: str, person: int | None
    ) -> None:
        """Report what may happen where the parcel stands; ends are rarer than in the table."""
        chosen = self._choose(parcel)
        passed = self.model[chosen].passed()
        here = [d.kind for d in DETOURS if d.first in passed and d.until not in passed]
        here.sort(key=lambda kind: journey.DETOURS[kind].ends_as is not None)
        kind = here[n % len(here)] if here else KINDS[n % len(KINDS)]
        self._say(self._report(chosen, kind, source, person, False, False))

    def _report(
        self, parcel: int, kind: str, source: str, person: int | None, overtaken: bool,
        stranger: bool,
    ) -> Deed:  # fmt: skip
        who = Who("customer" if stranger else min(journey.DETOURS[kind].opened_by), source, person)
        return Deed(self._event(), parcel, "open", who, kind=kind, overtaken=overtaken)

    @rule(parcel=parcels, n=st.integers(0, 40), source=sources, stranger=st.booleans())
    def settle(self, parcel: int, n: int, source: str, stranger: bool) -> None:
        chosen = self._choose(parcel)
        kinds = sorted(self.model[chosen].open_kinds()) or KINDS
        kind = kinds[n % len(kinds)]
        settled_by = journey.DETOURS[kind].settled_by
        who = Who("customer" if stranger or not settled_by else min(settled_by), source)
        self._say(Deed(self._event(), chosen, "settle", who, kind=kind))

    @rule(
        n=st.integers(0, 1000), parcel=parcels, source=sources,
        what=st.sampled_from(["again", "again", "again", "fact", "other"]),
    )  # fmt: skip
    def repeat(self, n: int, parcel: int, source: str, what: str) -> None:
        """Say the same again, or something else under the same id; or state a fact."""
        chosen = self._choose(parcel)
        if what == "fact" or not self.deeds:
            who = Who("system", "system")
            self._say(Deed(self._event(), chosen, "state", who, kind="bytes_verified"))
            return
        first = self.deeds[n % len(self.deeds)]
        if what == "again":
            self._say(first)
        else:
            step = self._step(chosen, self._next(chosen), source, 1)
            self._say(Deed(first.event, chosen, "advance", step.who, step.stage, "", step.proofs))

    @rule(
        parcel=parcels, other=parcels, ahead=st.integers(0, 2), source=sources, second=sources,
        person=people, same=st.booleans(),
    )  # fmt: skip
    def speak_at_once(
        self, parcel: int, other: int, ahead: int, source: str, second: str, person: int | None,
        same: bool,
    ) -> None:  # fmt: skip
        one, two = self._choose(parcel), self._choose(other)
        first = self._step(one, self._next(one), source, 1)
        event = first.event if same else first.event + " too"
        step = self._step(two, self._next(two, ahead), second, person)
        self._say(first, Deed(event, two, "advance", step.who, step.stage, "", step.proofs))

    # --- Said to both, and compared -------------------------------------------------------------------

    def _say(self, *deeds: Deed) -> None:
        """Do it in the product, all at once, and in the model in an order that explains it."""
        self.deeds += deeds
        self.story += deeds
        answers = self.do(self._really(deeds))
        if not self._explained(deeds, answers):
            self._explained(tuple(reversed(deeds)), tuple(reversed(answers)), must=True)
        for deed, answer in zip(deeds, answers, strict=True):
            self.count(deed.what, answer if answer not in SAYS_NO else "refused")
        self._agree()

    def _explained(
        self, deeds: tuple[Deed, ...], answers: tuple[str, ...], *, must: bool = False
    ) -> bool:
        kept = self.model
        self.model = copy.deepcopy(kept) if len(deeds) > 1 else kept
        said = tuple(self._in_the_model(deed) for deed in deeds)
        fits = all(_same(one, other) for one, other in zip(answers, said, strict=True))
        if len(deeds) == 1 or must:
            assert fits, f"{deeds}: the product says {answers}, the model {said}"
            return True
        if fits and self._differences() == []:
            return True
        self.model = kept
        return False

    async def _really(self, deeds: tuple[Deed, ...]) -> tuple[str, ...]:
        # What is said at once is said at one moment, whichever is heard first.
        said_at = now()
        return tuple(await asyncio.gather(*(self._act(deed, said_at) for deed in deeds)))

    async def _act(self, deed: Deed, said_at: datetime) -> str:
        who = deed.who
        person = None if who.person is None else UUID(int=who.person)
        actor = Actor(role=who.role, source=who.source, person_id=person, job="test")  # type: ignore[arg-type]
        event, parcel = uuid5(NAMES, deed.event), self.ids[deed.parcel]
        try:
            if deed.what == "advance":
                evidence = [Evidence(kind, "proof") for kind in deed.proofs]
                answer = await journey.advance(
                    event, parcel, deed.stage, actor=actor, evidence=evidence, captured_at=said_at
                )
            elif deed.what == "open":
                reason = min(journey.DETOURS[deed.kind].reasons, default="")
                answer = await journey.open_detour(
                    event, parcel, deed.kind, actor=actor, reason=reason, captured_at=said_at,
                    overtaken=deed.overtaken,
                )  # fmt: skip
            elif deed.what == "settle":
                answer = await journey.settle_detour(event, parcel, deed.kind, actor=actor)
            else:
                await journey.state_fact(deed.kind, parcel, actor=actor, event_id=event)
                return "applied"
        except EventIdReused:
            return "reused"
        except Refusal as refused:
            return type(refused).__name__
        return str(answer.verdict)

    def _in_the_model(self, deed: Deed) -> str:
        """An id belongs to the parcel it was first taken for."""
        for n, parcel in enumerate(self.model):
            if n != deed.parcel and deed.event in parcel.answers:
                return "reused"
        parcel = self.model[deed.parcel]
        try:
            if deed.what == "advance":
                return parcel.advance(deed.event, deed.stage, deed.who, deed.proofs)
            if deed.what == "open":
                return parcel.open(deed.event, deed.kind, deed.who, deed.overtaken)
            if deed.what == "settle":
                return parcel.settle(deed.event, deed.kind, deed.who)
            return parcel.state(deed.event, deed.kind)
        except Reused:
            return "reused"
        except Refused as refused:
            return f"no: {refused}"

    def _reactions(self) -> dict[UUID, Counter[str]]:
        found: dict[UUID, Counter[str]] = {parcel: Counter() for parcel in self.ids}
        for parcel, name in self.reacted:
            found[parcel][name] += 1
        return found

    def _differences(self) -> list[str]:
        rows = {row["id"]: row for row in self.do(db.rows(PICTURE, self.ids))}
        found = []
        for parcel, model in zip(self.ids, self.model, strict=True):
            row, wanted = rows[parcel], model.picture()
            real = {
                "passed": sorted(row["passed"]),
                "attempt": row["attempt"],
                "ended_as": row["ended_as"],
                "progress": row["progress"],
                "events": Counter(tuple(event.split("|")) for event in row["events"]),
                "cases": Counter(tuple(case) for case in row["cases"]),
                "waiting": Counter(row["waiting"]),
            }
            found += [
                f"{name}: the product has {real[name]}, the model {wanted[name]}"
                for name in wanted
                if real[name] != wanted[name]
            ]
            reacted = self._reactions()[parcel]
            if reacted != +model.reacted:
                found.append(f"reactions: {reacted - model.reacted}, not {model.reacted - reacted}")
        return found

    def _agree(self) -> None:
        differences = self._differences()
        assert differences == [], differences
        violations = self.do(db.rows(VIOLATIONS))
        assert violations == [], violations


def _same(really: str, modelled: str) -> bool:
    if modelled.startswith("no: "):
        return modelled.removeprefix("no: ") in SAYS_NO.get(really, ())
    return really == modelled
