"""An order walks through the company, and strangers send every request first.

Everybody whose role permits a route but who works elsewhere (another channel, location, vendor, or
nobody's assignment) sends the owner's request before him: he gets 404 or an empty list, nothing
changes, and his answer holds no word of the order.
"""

from __future__ import annotations

import re
from typing import Any

import httpx
import msgspec

from doorstep.core.auth.permissions import may
from tests.contract.routes import ROUTES
from tests.factories.company import Company, User
from tests.factories.journeys import Step
from tests.factories.snapshots import everything

LISTS = frozenset(
    {
        "listOrders", "listPickLists", "listOwnRuns", "listOwnManifests", "listOwnVisits",
        "listPurchaseOrders", "listVendorPurchaseOrders", "listProblems", "listTickets",
        "listArchivedOrders", "listApprovals", "listApprovalPolicies", "listArrivals",
        "listExpectedArrivals", "listOpenCounts", "listCounts", "listAdjustments",
        "listCargo", "listOffers", "listOwnOffers", "listOwnWords", "listWorkDone",
        "listWaitingParcels", "listVansOut", "listVehicles", "listCrews", "listShifts", "listAvailability",
        "listPrices", "listExtraPrices", "listPartsOnVans", "listOwnParts", "listReceipts",
        "listEarningRates", "listEarnings", "listEarningLines",
        "listOwnManuals", "listErasureRequests",
    }
)  # fmt: skip
"""Lists of things: a stranger's is empty."""

CANARIES = ("Aisha", "501234567", "12 Marina Walk", "WM-7KG-SN", "Canary", "DS-0")


class Walk:
    """A company where strangers try first."""

    def __init__(self, company: Company, others: list[User]) -> None:
        self.company = company
        self.others = others
        self.walked: set[str] = set()

    async def ask(
        self,
        operation: str,
        who: str,
        body: Any = None,
        query: str = "",
        **parts: object,
    ) -> httpx.Response:
        """Let the strangers try, then the owner, who gets through."""
        method, path, handler = ROUTES[operation]
        url = re.sub(r"{([^}:]+)[^}]*}", lambda m: str(parts[m[1]]), path) + query
        before = await everything()
        for user in self.others:
            if may(user.role, handler.opt["permission"]):
                answer = await self.send(method, url, body, user)
                self._refused(operation, user, answer, url)
        assert await everything() == before, f"{operation}: a stranger changed something"
        answer = await self.send(method, url, body, self.company.users[who])
        assert answer.status_code not in (401, 403, 404), (operation, answer.text)
        assert operation not in LISTS or answer.json(), f"{operation}: the owner sees nothing"
        self.walked.add(operation)
        await self.company.work()
        return answer

    def _refused(self, operation: str, user: User, answer: httpx.Response, url: str) -> None:
        who = f"{user.role} elsewhere on {operation}: {answer.status_code} {answer.text}"
        if operation in LISTS:
            assert (answer.status_code, answer.json()) == (200, []), who
        else:
            assert answer.status_code == 404, who
        for canary in CANARIES:
            assert canary in url or canary not in answer.text, who

    async def send(self, method: str, url: str, body: Any, user: User) -> httpx.Response:
        return await self.company.http.request(
            method,
            url,
            headers=user.headers | {"Content-Type": "application/json"},
            content=None if body is None else msgspec.json.encode(body),
        )

    async def step(self, operation: str, step: Step, **parts: object) -> httpx.Response:
        """Take a step of the journey, strangers first."""
        return await self.ask(operation, step.who, step.body, **parts)
