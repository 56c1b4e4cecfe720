"""The demo: one order, told stage by stage and tranche by tranche, and judged at the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TextIO

from doorstep.core.money import format_minor
from doorstep.journey.stages import STAGES
from doorstep.play.order import OrderPlay, Plan
from doorstep.play.visitors import Company, StepFailed, visit
from doorstep.seed import password_of, sample_users

EXPECTED_TRANCHES = (20001, 20000, 20000, 20000, 10000, 10000)
"""What the vendor gets of 1000.01 AED by 20/20/20/20/10/10 (SPEC V)."""

TRANCHE_NAMES = (
    "Order Confirmation",
    "Vendor Acceptance",
    "Material Dispatch",
    "Delivery Confirmation",
    "Installation Complete",
    "Warranty Activation",
)


class DemoResult(NamedTuple):
    """Whether every stage and tranche is right, and what a visitor needs to look around."""

    ok: bool
    document: dict[str, Any]


async def play_demo(base_url: str, sandbox_url: str, *, out: TextIO) -> DemoResult:
    """Play the demo order over HTTP and print what happened; `ok` is the exit status."""
    async with visit(base_url, sandbox_url) as company:
        play = OrderPlay(company, Plan(number=1))
        problems: list[str] = []
        try:
            await play.play()
        except StepFailed as failed:
            problems.append(str(failed))
        order = await play.order() if play.number else None
        if order is not None:
            _print_stages(order, out)
            _print_tranches(play.tranches, out)
            problems += judge(order, play.tranches)
        for problem in problems:
            print(f"WRONG: {problem}", file=out)
        verdict = (
            "every stage and every tranche is right." if not problems else "not as it must be."
        )
        print(f"\nOrder {play.number or '–'}: {verdict}", file=out, flush=True)
        if order is None:
            return DemoResult(False, {"users": [], "orders": []})
        return DemoResult(not problems, await _document(company, play, order, base_url))


def judge(order: dict[str, Any], tranches: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Say what is not as it must be: one parcel, every stage done, six tranches paid."""
    return _wrong_stages(order) + _wrong_tranches(tranches)


def _print_stages(order: dict[str, Any], out: TextIO) -> None:
    print(f"\nOrder {order['number']} (shop: {order['external_id']})\n", file=out)
    rows: list[Sequence[str]] = [("code", "action", "%", "who", "when", "evidence")]
    for parcel in order["parcels"]:
        by_code = {stage["stage"]: stage for stage in parcel["stages"]}
        for stage in STAGES:
            if stage.code in by_code:
                rows.append(_stage_row(by_code[stage.code], stage.action, stage.progress))
    _print_table(rows, out)


def _stage_row(stage: dict[str, Any], action: str, progress: int) -> Sequence[str]:
    from_outside = stage["device"].removeprefix("system:") if stage["source"] != "system" else ""
    who = stage["role"] if stage["role"] != "system" else from_outside or "Doorstep"
    kinds = ", ".join(sorted({item["kind"] for item in stage["evidence"]}))
    return (
        str(stage["stage"]),
        action,
        str(progress),
        who,
        _clock(stage["recorded_at"]),
        kinds or stage["how"].replace("_", " "),
    )


def _print_tranches(tranches: dict[str, list[dict[str, Any]]], out: TextIO) -> None:
    rows: list[Sequence[str]] = [("tranche", "condition", "amount", "state", "why")]
    for paid in tranches.values():
        for tranche in paid:
            amount = format_minor(tranche["amount_minor"], tranche["currency"])
            rows.append(
                (
                    f"V{tranche['number']}",
                    TRANCHE_NAMES[tranche["number"] - 1],
                    f"{amount} {tranche['currency']}",
                    tranche["payout_state"] or tranche["state"],
                    tranche["reason"],
                )
            )
    print(file=out)
    _print_table(rows, out)


def _print_table(rows: list[Sequence[str]], out: TextIO) -> None:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip(), file=out)


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime("%H:%M:%S")


def _wrong_stages(order: dict[str, Any]) -> list[str]:
    wrong = [] if len(order["parcels"]) == 1 else ["the demo order is one parcel"]
    for parcel in order["parcels"]:
        passed = {stage["stage"]: stage["how"] for stage in parcel["stages"]}
        wrong += [
            f"stage {stage.code} is {passed.get(stage.code, 'not passed')}"
            for stage in STAGES
            if passed.get(stage.code) != "done"
        ]
        if parcel["progress"] != STAGES[-1].progress:
            wrong.append(f"the parcel stands at {parcel['progress']} %")
    return wrong


def _wrong_tranches(tranches: dict[str, list[dict[str, Any]]]) -> list[str]:
    amounts = [tuple(t["amount_minor"] for t in paid) for paid in tranches.values()]
    if amounts != [EXPECTED_TRANCHES]:
        return [f"the tranches are {amounts}"]
    return [
        f"V{tranche['number']} is {tranche['payout_state']}"
        for paid in tranches.values()
        for tranche in paid
        if tranche["payout_state"] != "paid"
    ]


async def _document(
    company: Company, play: OrderPlay, order: dict[str, Any], base_url: str
) -> dict[str, Any]:
    """Gather sign-ins, fresh enrolment codes, and the order with its link and amounts."""
    users = [
        {
            "role": user.role,
            "name": user.name,
            "channel": user.channel,
            "login": user.login,
            "secret": password_of(user.login) if user.login else None,
            "enrolment_code": None if user.login else await company.enrolment_code(user),
        }
        for user in sample_users()
    ]
    told = {
        "number": order["number"],
        "id": order["id"],
        "external_id": order["external_id"],
        "tracking_token": play.token,
        "tracking_url": f"{base_url}/t/{play.token}",
        "currency": order["currency"],
        "total_minor": order["total_minor"],
        "tranches_minor": [
            tranche["amount_minor"] for paid in play.tranches.values() for tranche in paid
        ],
    }
    return {"users": users, "orders": [told]}
