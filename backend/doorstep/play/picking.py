"""The warehouse's part of a parcel: its picker finds, checks and packs the goods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doorstep.play.captures import now, step
from doorstep.play.visitors import StepFailed, Visitor, new_event, until

if TYPE_CHECKING:
    from doorstep.play.parcel import ParcelPlay

WRONG_SERIALS = 40
"""How many serials a picker tries: others take from the same shelf at the same time."""


async def pick_check_pack(parcel: ParcelPlay) -> None:
    """Pick, scan every code, close the boxes (1005 to 1007)."""
    picker, work = await list_of(parcel)
    path = f"/field/fulfilments/{parcel.id}"
    await picker.post(f"{path}/pick", step())
    await _check(parcel, picker, path, work["lines"])
    if parcel.pick_again:
        parcel.pick_again = False
        await parcel.report("repick")
        return await pick_check_pack(parcel)
    pieces = [
        {name: line[name] for name in ("weight_g", "length_mm", "width_mm", "height_mm")}
        | {"goods": [{"fulfilment_line_id": line["fulfilment_line_id"], "n": n}]}
        for line in work["lines"]
        for n in range(1, line["pieces"] + 1)
    ]
    await picker.post(f"{path}/pack", step() | {"pieces": pieces})


async def list_of(parcel: ParcelPlay) -> tuple[Visitor, dict[str, Any]]:
    """Wait until the parcel stands on the picker's phone; give whose it is, and what stands there."""
    picker = await parcel.company.of("warehouse", parcel.order.plan.channel)

    async def listed() -> dict[str, Any] | None:
        lists = await picker.get("/field/pick-lists")
        return next((one for one in lists if one["fulfilment_id"] == parcel.id), None)

    return picker, await until(listed, "the pick list")


def codes_of(lines: list[dict[str, Any]]) -> list[str]:
    """List the barcodes of the goods and of what belongs to them, one for each piece."""
    return [
        code
        for line in lines
        for code in [line["barcode"], *(a["code"] for a in line["accessories"])]
        for _ in range(line["quantity"])
    ]


async def _check(
    parcel: ParcelPlay, picker: Visitor, path: str, lines: list[dict[str, Any]]
) -> None:
    """Scan barcodes and accessories, then a serial per unit, trying others when one is gone."""
    event_id = new_event()
    if parcel.wrong_code_first:
        await _scan(picker, path, event_id, ["NOT-IN-THIS-PARCEL"])
    missing = await _scan(picker, path, event_id, codes_of(lines))
    for line in lines:
        shelf = list(line["serials"])
        parcel.order.dice.shuffle(shelf)
        for serial in shelf[:WRONG_SERIALS]:
            if not any(f"serial of {line['sku']}" in words for words in missing):
                break
            missing = await _scan(picker, path, event_id, [serial], missing)
    if missing:
        raise StepFailed(f"QC of {parcel.order.number} still misses {missing}")


async def _scan(
    picker: Visitor,
    path: str,
    event_id: str,
    codes: list[str],
    missing: list[str] | None = None,
) -> list[str]:
    scans = [{"scan_uid": new_event(), "code": code, "captured_at": now()} for code in codes]
    answer = await picker.try_post(f"{path}/checks", {"event_id": event_id, "scans": scans})
    if answer.status_code == 409 and missing is not None:
        return missing
    if not answer.is_success:
        raise StepFailed(f"checks: {answer.status_code} {answer.text[:300]}")
    left: list[str] = answer.json()["missing"]
    return left
