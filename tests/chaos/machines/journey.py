"""Parcels of one order: everybody says everything, early, late, twice and at once."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from doorstep import journey
from doorstep.journey.detours import DETOURS
from doorstep.journey.stages import BY_CODE, STAGES, Flags
from tests.chaos.machines.journey_deeds import KINDS, Deed, JourneySchedule
from tests.models.journey import Who

SOURCES = ["phone", "phone", "person", "carrier", "scan", "system", "webhook"]

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


class JourneyMachine(JourneySchedule):
    """Chooses what is said."""

    @initialize(
        kinds=st.lists(st.tuples(flags, starts), min_size=1, max_size=3), short=st.booleans()
    )
    def begin(self, kinds: list[tuple[Flags, int]], short: bool) -> None:
        self.model, self.ids, self.deeds = [], [], []
        self.reacted.clear()
        self.do(self._sweep())
        for n, (kind, start) in enumerate(kinds):
            self._add(kind, start, short=short and start == 1001 and n == 0)

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
