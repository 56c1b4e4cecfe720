"""Phones that pull, and what they hold afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.factories.company import Company

PULL = "/field/sync/pull"
Documents = dict[tuple[str, str], Any]
"""(kind, id) → body."""


async def pulled(company: Company, who: str, cursor: str | None = None) -> dict[str, Any]:
    """Ask for what has changed since a cursor."""
    query = "" if cursor is None else f"?cursor={cursor}"
    answer: dict[str, Any] = await company.get(who, PULL + query)
    return answer


def applied(held: Documents, answer: dict[str, Any]) -> Documents:
    """Do what a phone does with an answer."""
    state = {} if answer["full"] else dict(held)
    for one in answer["upserts"]:
        state[one["kind"], one["id"]] = one["body"]
    for one in answer["tombstones"]:
        del state[one["kind"], one["id"]]
    return state


def kinds(documents: Documents) -> list[str]:
    """List the kinds of a person's work, each as often as it is there; forms are no work."""
    return sorted(kind for kind, _ in documents if kind != "form")


@dataclass
class Pocket:
    """A phone with what it holds, and with what it has held before."""

    company: Company
    who: str
    cursor: str | None = None
    documents: Documents = field(default_factory=dict)

    async def pull(self) -> dict[str, Any]:
        """Bring the phone up to date."""
        answer = await pulled(self.company, self.who, self.cursor)
        self.documents, self.cursor = applied(self.documents, answer), answer["cursor"]
        return answer

    async def fresh(self) -> Documents:
        """Tell what an empty phone of this person would get."""
        return applied({}, await pulled(self.company, self.who))

    def of(self, kind: str) -> list[Any]:
        """List the documents of a kind."""
        return [body for (one, _), body in self.documents.items() if one == kind]
