"""The table of problem kinds: the source opens only what stands in it, its actions are routes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import doorstep
from doorstep.app import DOORS, create_app
from doorstep.core.auth.guard import handlers_of
from doorstep.core.auth.permissions import PERMISSIONS, may
from doorstep.core.auth.scope import DESKS
from doorstep.flows import appeals, approvals, carrier_events, detours, phones_at_risk, settle
from doorstep.journey.detours import BY_KIND
from doorstep.modules.helpdesk import kinds
from doorstep.modules.helpdesk.kinds import CLOSE, KINDS, OPERATIONS, UnknownKind

SOURCE = Path(doorstep.__file__).parent
OPENERS = {"open_problem"}
JOB = "helpdesk.open_problem"

COMPUTED = {
    "flows/settle.py": {
        *(f"payment_{state}" for state in settle._PROBLEMS),
        "payment_currency", "payment_unexpected", "payment_stopped",
    },
    "flows/appeals.py": set(appeals.QUESTIONS),
    "flows/approvals.py": {problem for problem, _ in approvals.PROBLEMS.values()},
    "flows/carrier_events.py": set(carrier_events.TROUBLES),
    "flows/detours.py": set(detours.TASKS),
    "flows/deliver.py": {"pod_incomplete", "handover_code_wrong", "door_payment_differs"},
    "flows/field_words.py": {"field_problem", "field_safety", "capture_amended"},
    "flows/phones_at_risk.py": set(phones_at_risk.KINDS),
    "flows/proof_checks.py": {"pod_failed", "pod_doubtful"},
    "modules/finance/service/payouts.py": {
        "payout_failed", "payout_reversed", "payout_unknown", "payout_paid_twice",
    },
    "modules/helpdesk/jobs.py": set(),
    "modules/helpdesk/service/tickets.py": {
        f"ticket_{one}"
        for one in (
            "complaint", "return", "damage", "missing_part", "warranty", "question", "refund", "other",
        )
    },
}  # fmt: skip
"""Files that compute the kind: which ones they can come to. A new file that does must be added."""


def kind_of(call: ast.Call) -> ast.expr | None:
    """Find the kind that a call opens a problem of, if it opens one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in OPENERS:
        return call.args[0] if call.args else None
    for n, argument in enumerate(call.args[:-1]):
        if isinstance(argument, ast.Constant) and argument.value == JOB:
            payload = call.args[n + 1]
            if isinstance(payload, ast.Name):
                return payload
            assert isinstance(payload, ast.Dict), "the payload of a problem is written in place"
            for key, value in zip(payload.keys, payload.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "kind":
                    return value
    return None


def opened() -> dict[str, tuple[set[str], int]]:
    """File → the kinds it names, and how many it computes."""
    found: dict[str, tuple[set[str], int]] = {}
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "open_problem" not in text:
            continue
        named, computed = set(re.findall(r"'kind',\s*'(\w+)'", text)), 0
        for node in ast.walk(ast.parse(text)):
            expression = kind_of(node) if isinstance(node, ast.Call) else None
            if isinstance(expression, ast.Constant):
                named.add(str(expression.value))
            elif expression is not None:
                computed += 1
        named |= set(re.findall(r'"kind": "(\w+)"', text))
        if named or computed:
            found[path.relative_to(SOURCE).as_posix()] = (named, computed)
    return found


def test_every_kind_that_the_source_opens_stands_in_the_table() -> None:
    for file, (named, computed) in opened().items():
        assert named <= set(KINDS), file
        if computed and not named:
            assert file in COMPUTED, f"{file} computes a kind: say here which ones"


def test_every_computed_kind_stands_in_the_table() -> None:
    for file, can_be in COMPUTED.items():
        assert (SOURCE / file).exists()
        assert can_be <= set(KINDS), file


def test_no_row_is_left_over() -> None:
    in_use = set().union(*COMPUTED.values(), *(named for named, _ in opened().values()))
    assert set(KINDS) - in_use == set()


def test_the_walk_sees_what_it_must() -> None:
    found = opened()
    assert "webhook_unmatched" in found["core/inbox.py"][0]
    assert "review" in found["flows/supervise.py"][0]
    assert "awb_needed" in found["flows/dispatch.py"][0]
    assert found["flows/carrier_events.py"][1] == 1


def test_a_kind_without_a_row_is_a_programming_error() -> None:
    with pytest.raises(UnknownKind):
        kinds.kind("something_else")


def test_every_action_is_a_route_that_somebody_of_a_desk_may_call() -> None:
    routes = {
        str(handler.operation_id): (method, re.sub(r":\w+}", "}", path), handler.opt["permission"])
        for method, path, handler in handlers_of(create_app(doors=DOORS))
        if "permission" in handler.opt
    }
    for operation, (method, path) in OPERATIONS.items():
        real_method, real_path, permission = routes[operation]
        assert method == real_method, operation
        assert re.sub(r"{\w+}", "{}", path) == re.sub(r"{\w+}", "{}", real_path), operation
        assert PERMISSIONS[permission] & DESKS, operation


def test_every_row_is_whole_and_its_owner_may_act() -> None:
    permissions = {
        str(handler.operation_id): handler.opt["permission"]
        for _, _, handler in handlers_of(create_app(doors=DOORS))
        if "permission" in handler.opt
    }
    for name, row in KINDS.items():
        assert re.fullmatch(r"[a-z0-9_]{3,40}", name)
        assert row.owner_role in DESKS and 1 <= row.hours <= 80, name
        assert row.words.endswith(".") and len(row.words) <= 200, name
        assert may(row.owner_role, permissions[row.operation]), f"{name}: {row.operation}"


def test_the_owner_of_a_detour_may_settle_it_or_report_what_follows() -> None:
    for name, row in KINDS.items():
        if row.operation == kinds.SETTLE:
            assert row.owner_role in BY_KIND[name].settled_by, name
        if row.operation == "reportDetour":
            follows = {"carrier_lost": "lost"}.get(name, "replaced")
            assert row.owner_role in BY_KIND[follows].opened_by & BY_KIND[name].settled_by, name


MONEY = frozenset({"dispute", "returned_part"})
"""Settled by finance alone: it lets money go."""


def test_an_admin_may_settle_what_is_escalated_to_him() -> None:
    for name, row in KINDS.items():
        if row.operation in (kinds.SETTLE, "reportDetour") and name not in MONEY:
            assert may("admin", "journey:detour:report")
            assert "admin" in BY_KIND[name].settled_by, name


def test_every_detour_that_a_desk_may_report_has_a_door() -> None:
    own_door = {"cancelled", "cancelled_after_dispatch", "return_requested"}
    for detour in BY_KIND.values():
        if detour.opened_by & DESKS:
            assert detour.kind in detours.BY_HAND | own_door, detour.kind
            assert any(may(role, "journey:detour:report") for role in detour.opened_by)


def test_an_action_names_its_path_and_falls_back_to_closing_by_hand() -> None:
    ids = {"problem_id": "p", "ref": "r"}
    assert kinds.action("visit_unplannable", ids) == (
        "cancelVisit", "POST", "/console/visits/r/cancel",
    )  # fmt: skip
    assert kinds.action("installation_approval", ids | {"visit_id": "v"})[2] == (
        "/console/visits/v/approve"
    )
    assert kinds.action("installation_approval", ids | {"visit_id": None}) == (
        CLOSE, "POST", "/problems/p/close",
    )  # fmt: skip
    parcel = ids | {"kind": "part_missing", "fulfilment_id": "f"}
    assert kinds.action("part_missing", parcel)[2] == (
        "/console/fulfilments/f/detours/part_missing/settle"
    )
    assert kinds.action("of an older version", ids)[0] == CLOSE


def test_every_problem_names_what_it_belongs_to_so_that_the_desks_of_its_country_see_it() -> None:
    """Without an order, parcel or channel only people of all channels would see it."""
    for path in SOURCE.rglob("flows/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or kind_of(node) is None:
                continue
            named = {one.arg for one in node.keywords} | {
                str(key.value)
                for inner in ast.walk(node)
                if isinstance(inner, ast.Dict)
                for key in inner.keys
                if isinstance(key, ast.Constant)
            }
            assert named & {"order_id", "fulfilment_id", "channel_id"}, f"{path}:{node.lineno}"
