"""A parcel's journey as a list of what was said: everything else is read off the list.

The tables of stages and detours are data and shared with the product; what follows from them is
written here a second time, as folds over the history instead of columns that are kept up to date.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from doorstep.journey.detours import BY_KIND, Detour
from doorstep.journey.stages import BY_CODE, STAGES, Flags

TRANSPORT_PROOFS = {"carrier_event", "departure_scan", "hub_scan", "run", "pod"}


@dataclass(frozen=True)
class Who:
    """Somebody who says something, and from where."""

    role: str
    source: str
    person: int | None = None


@dataclass(frozen=True)
class Said:
    """An event of the chain. `turns`: stage at which it begins a new attempt; `ends`: how it ends."""

    name: str
    kind: str
    verdict: str = "applied"
    stage: int | None = None
    how: str = "done"
    person: int | None = None
    turns: int | None = None
    ends: str | None = None


@dataclass
class Waiting:
    """A step that came too early."""

    event: str
    stage: int
    who: Who
    proofs: tuple[str, ...]


@dataclass
class Case:
    """A detour that was opened, and how it was closed."""

    event: str
    kind: str
    attempt: int
    closed: str | None = None


class Refused(Exception):
    """A person at a screen is told no, and nothing is kept."""


class Reused(Exception):
    """An event id that stands for something else."""


@dataclass
class Parcel:
    """One fulfilment."""

    flags: Flags
    history: list[Said] = field(default_factory=lambda: [Said("1001", "stage", stage=1001)])
    waiting: list[Waiting] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Event → (what it claimed, its first verdict)."""
    highest: int = 5
    """The percentage is the highest there ever was."""
    reacted: Counter[str] = field(default_factory=Counter)

    # --- What can be read off the history --------------------------------------------------------

    def passed(self) -> dict[int, Said]:
        """Stage → who passed it, without those that a later detour begins again."""
        found: dict[int, Said] = {}
        for said in self.history:
            if said.kind == "stage" and said.stage is not None:
                found[said.stage] = said
            if said.turns is not None:
                found = {code: one for code, one in found.items() if code < said.turns}
        return found

    @property
    def attempt(self) -> int:
        return 1 + sum(said.turns is not None for said in self.history)

    @property
    def ended_as(self) -> str | None:
        return next((said.ends for said in self.history if said.ends), None)

    def open_kinds(self) -> set[str]:
        return {case.kind for case in self.cases if case.closed is None}

    def percent(self) -> int:
        passed, reached = self.passed(), 0
        for stage in STAGES:
            if stage.code not in passed:
                break
            reached = stage.progress
        return reached

    def counted(self) -> Counter[tuple[str, str, str, str]]:
        return Counter((said.kind, said.name, said.how, said.verdict) for said in self.history)

    # --- Steps --------------------------------------------------------------------------------------

    def advance(self, event: str, stage: int, who: Who, proofs: tuple[str, ...]) -> str:
        known = self._known(event, str(stage))
        if known:
            return known
        verdict = self._judge(stage, who, proofs)
        if who.source == "person" and verdict != "applied":
            raise Refused(verdict)
        self.answers[event] = (str(stage), verdict)
        if verdict == "applied":
            self._pass(stage, who)
            self._follow()
        elif verdict == "held":
            self.waiting.append(Waiting(event, stage, who, proofs))
        else:
            self._keep(str(stage), verdict, stage)
        return verdict

    def _known(self, event: str, claim: str) -> str:
        if event not in self.answers:
            return ""
        said, verdict = self.answers[event]
        if said != claim:
            raise Reused
        return verdict

    def _judge(self, code: int, who: Who, proofs: tuple[str, ...]) -> str:
        stage, passed = BY_CODE[code], self.passed()
        if who.role not in stage.roles or not set(proofs) & stage.evidence:
            return "rejected"
        if self.ended_as:
            return "review"
        if code in passed:
            first = passed[code]
            # What nobody has seen (implied, or thought to be skipped) is welcome from anybody.
            unseen = first.how == "implied" or (
                first.how == "not_applicable" and stage.optional is not None
                and stage.applies_if(self.flags)
            )  # fmt: skip
            contest = who.source == "phone" and not unseen and first.person != who.person
            return "review" if contest else "duplicate"
        if not stage.applies_if(self.flags):
            return "review"
        for kind in self.open_kinds():
            row = BY_KIND[kind]
            if row.blocks_from and row.blocks_from <= code and code not in row.settled_at:
                return "held"
        missing = self._missing(code)
        if missing and not self._speaks_for(missing, who, proofs):
            return "held"
        return "applied"

    def _missing(self, code: int) -> list[int]:
        """Find every stage that this one rests on, directly or not, and that is not passed."""
        passed = self.passed()
        found: set[int] = set()
        for before in BY_CODE[code].after:
            if before not in passed:
                found |= {before, *self._missing(before)}
        return sorted(found)

    def _speaks_for(self, missing: list[int], who: Who, proofs: tuple[str, ...]) -> bool:
        return (
            who.source != "person"
            and bool(set(proofs) & TRANSPORT_PROOFS)
            and all(BY_CODE[code].implied_by_later for code in missing)
        )

    def _pass(self, code: int, who: Who, *, itself: bool = True) -> None:
        """Pass a stage with those it implies; what it shows to have been skipped does not apply."""
        implied = self._missing(code) if itself else [*self._missing(code), code]
        applied = {*implied, code}
        passed = self.passed()
        skipped = [s.code for s in STAGES if s.optional in applied and s.code not in passed]
        passings = [(one, "implied") for one in implied]
        passings += [(one, "not_applicable") for one in skipped]
        if itself:
            passings.append((code, "done"))
        self._settle(passings, who)

    def _settle(self, passings: list[tuple[int, str]], who: Who) -> None:
        for code, how in passings:
            self.history.append(Said(str(code), "stage", stage=code, how=how, person=who.person))
            self.reacted[str(code)] += 1
        self._seen()
        for kind in self.open_kinds():
            if BY_KIND[kind].settled_at & {code for code, _ in passings}:
                self._close(kind, "settled")

    def _seen(self) -> None:
        self.highest = max(self.highest, self.percent())

    def _close(self, kind: str, how: str) -> None:
        case = next(one for one in self.cases if one.kind == kind and one.closed is None)
        case.closed = how
        self.history.append(Said(f"{kind}_settled", "detour"))
        if how == "overtaken":
            return
        # With the end of the parcel nothing follows from a detour's own settling.
        self.reacted[f"{kind}_settled"] += how == "settled"
        self.reacted["detour_settled"] += 1

    def _keep(self, name: str, verdict: str, stage: int | None = None) -> None:
        self.history.append(Said(name, "evidence", verdict, stage=stage))
        if verdict in ("review", "rejected"):
            self.reacted["review_opened"] += 1

    def _follow(self) -> None:
        """Let pass what does not apply, and try again what waits, until nothing moves."""
        while self._pass_by() or self._release():
            pass

    def _pass_by(self) -> bool:
        if self.ended_as:
            return False
        passed = self.passed()
        for stage in STAGES:
            turn = stage.code not in passed and set(stage.after) <= passed.keys()
            if turn and not stage.applies_if(self.flags):
                self._settle([(stage.code, "not_applicable")], Who("system", "system"))
                return True
        return False

    def _release(self) -> bool:
        for step in sorted(self.waiting, key=lambda one: one.stage):
            verdict = self._judge(step.stage, step.who, step.proofs)
            if verdict == "held":
                continue
            self.waiting.remove(step)
            if verdict == "applied":
                self._pass(step.stage, step.who)
            else:
                self._keep(str(step.stage), verdict, step.stage)
            return True
        return False

    # --- Detours and facts ---------------------------------------------------------------------------

    def open(self, event: str, kind: str, who: Who, overtaken: bool) -> str:
        known = self._known(event, kind)
        if known:
            return known
        row = BY_KIND[kind]
        verdict, why = self._judge_opening(row, who, overtaken)
        if who.source == "person" and verdict != "applied":
            raise Refused(verdict)
        self.answers[event] = (kind, verdict)
        if verdict == "applied":
            self._begin(event, row, who)
        elif why == "overtaken" and verdict == "duplicate":
            self.history.append(Said(kind, "detour", verdict))
            self.cases.append(Case(event, kind, self.attempt, "overtaken"))
            self.reacted["detour_overtaken"] += 1
        else:
            self._keep(kind, verdict)
        return verdict

    def _judge_opening(self, row: Detour, who: Who, overtaken: bool) -> tuple[str, str]:
        passed = self.passed()
        if who.role not in row.opened_by:
            return "rejected", "role"
        if self.ended_as:
            return "review", "ended"
        another = row.recurs and who.source == "carrier"
        if row.kind in self.open_kinds() and not another and not overtaken:
            return "duplicate", "known"
        if overtaken or row.until in passed:
            return ("review" if who.source == "phone" else "duplicate"), "overtaken"
        missing = self._missing(row.first)
        if row.first not in passed:
            missing.append(row.first)
        seen = who.source != "person" and all(BY_CODE[code].implied_by_later for code in missing)
        return ("applied", "") if not missing or seen else ("review", "early")

    def _begin(self, event: str, row: Detour, who: Who) -> None:
        if row.kind in self.open_kinds():
            self._close(row.kind, "overtaken")
        if row.first not in self.passed():
            self._pass(row.first, who, itself=False)
        elif self._missing(row.first):
            raise AssertionError("a stage is passed while one before it is not")
        closed = "ended" if row.ends_as else None
        self.cases.append(Case(event, row.kind, self.attempt, closed))
        self.history.append(Said(row.kind, "detour", turns=row.restarts, ends=row.ends_as))
        if row.ends_as:
            for kind in self.open_kinds():
                self._close(kind, "ended")
        self.reacted[row.kind] += 1
        self.reacted["detour_opened"] += 1
        self._follow()

    def settle(self, event: str, kind: str, who: Who) -> str:
        known = self._known(event, f"{kind}_settled")
        if known:
            return known
        verdict = "applied"
        if who.role not in BY_KIND[kind].settled_by:
            verdict = "rejected"
        elif kind not in self.open_kinds():
            verdict = "duplicate"
        if who.source == "person" and verdict != "applied":
            raise Refused(verdict)
        self.answers[event] = (f"{kind}_settled", verdict)
        if verdict == "applied":
            self._close(kind, "settled")
            self._follow()
        else:
            self._keep(f"{kind}_settled", verdict)
        return verdict

    def state(self, event: str, name: str) -> str:
        if not self._known(event, name):
            self.answers[event] = (name, "applied")
            self.history.append(Said(name, "fact"))
            self.reacted[name] += 1
        return "applied"

    # --- Compared with the database -----------------------------------------------------------------

    def picture(self) -> dict[str, Any]:
        return {
            "passed": sorted(self.passed()),
            "attempt": self.attempt,
            "ended_as": self.ended_as,
            "progress": self.highest,
            "events": self.counted(),
            "cases": Counter((case.kind, case.attempt, case.closed) for case in self.cases),
            "waiting": Counter((step.stage, step.who.person) for step in self.waiting),
            "whose": {
                code: said.person for code, said in self.passed().items() if said.how == "done"
            },
        }
