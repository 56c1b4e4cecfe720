"""What is said of parcels: once to the product, once to the model, and then the two are compared."""

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

from doorstep import doctor, journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Refusal
from doorstep.flows.place_order import place_order
from doorstep.journey import Evidence
from doorstep.journey.detours import DETOURS
from doorstep.journey.stages import STAGES, Flags
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
       (SELECT coalesce(jsonb_agg(jsonb_build_array(h.stage, h.actor ->> 'person_id')), '[]')
          FROM held_step h WHERE h.fulfilment_id = f.id AND h.released_at IS NULL) AS waiting,
       -- Whose a step is decides what is said to others: of two at once it tells who was first.
       (SELECT coalesce(jsonb_agg(jsonb_build_array(p.stage, p.actor_id)), '[]')
          FROM (SELECT DISTINCT ON (e.stage) e.stage, e.actor_id, e.how FROM journey_event e
                 WHERE e.fulfilment_id = f.id AND e.kind = 'stage' AND e.stage = ANY (f.passed)
                 ORDER BY e.stage, e.attempt DESC) p WHERE p.how = 'done') AS whose
  FROM fulfilment f WHERE f.id = ANY ($1)
"""
SAYS_NO = {
    "StageTooEarly": {"held"}, "StageAlreadyDone": {"duplicate", "review"},
    "RoleNotAllowed": {"rejected"}, "EvidenceMissing": {"rejected"}, "FulfilmentEnded": {"review"},
    "StageNotApplicable": {"review"}, "DetourNotPossible": {"review", "duplicate"},
    "DetourKnown": {"duplicate"},
}  # fmt: skip
"""Refusal of a person → the verdicts that it stands for."""

KINDS = [row.kind for row in DETOURS]
NAMES_OF_REACTIONS = [
    *(str(stage.code) for stage in STAGES), *KINDS, *(f"{kind}_settled" for kind in KINDS),
    "detour_opened", "detour_settled", "detour_overtaken", "review_opened", "bytes_verified",
]  # fmt: skip

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


class JourneySchedule(Schedule):
    """Begins parcels and says deeds to both, one or two at once."""

    model: list[Parcel]
    ids: list[UUID]
    deeds: list[Deed]
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
                "waiting": Counter((stage, _person(who)) for stage, who in row["waiting"]),
                "whose": {stage: _person(who) for stage, who in row["whose"]},
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


def _person(person_id: str | None) -> int | None:
    return None if person_id is None else UUID(person_id).int


def _same(really: str, modelled: str) -> bool:
    if modelled.startswith("no: "):
        return modelled.removeprefix("no: ") in SAYS_NO.get(really, ())
    return really == modelled
