"""THE FIRST TABLE: the eighteen stages every order travels, exactly as SPEC §J gives them.

"What happens when X?" starts here: the row says who may do it, after what, with which proof;
`flows/reactions.py` says what it sets off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """What kind of fulfilment travels; decides which stages apply."""

    needs_vendor: bool
    needs_install: bool
    has_warranty: bool
    collection: bool


def always(_flags: Flags) -> bool:
    """Apply to every fulfilment."""
    return True


def with_vendor(flags: Flags) -> bool:
    """Apply to a vendor's goods; our own have no PO and no tranches."""
    return flags.needs_vendor


def with_installation(flags: Flags) -> bool:
    """Apply where a line must be installed."""
    return flags.needs_install


def with_warranty(flags: Flags) -> bool:
    """Apply where a line carries a warranty."""
    return flags.has_warranty


def with_transport(flags: Flags) -> bool:
    """Apply unless the customer collects at the counter."""
    return not flags.collection


class Stage(NamedTuple):
    """One row of the journey.

    `after`: stages that must be settled before; `evidence`: kinds of proof, one of which must be
    there; `implied_by_later`: a later carrier event, accepted run or POD stands for it;
    `optional`: recorded as not applicable when it is unseen and the stage of that code applies.
    """

    code: int
    department: str
    process: str
    activity: str
    action: str
    progress: int
    milestone: str | None
    after: tuple[int, ...]
    roles: frozenset[str]
    evidence: frozenset[str]
    applies_if: Callable[[Flags], bool] = always
    implied_by_later: bool = False
    optional: int | None = None


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


_FLOOR = _of("warehouse", "store", "vendor_store")
_ROAD = _of("courier", "delivery", "system")

# fmt: off
STAGES: tuple[Stage, ...] = (
    Stage(1001, "Sales", "ORDER", "Order Confirmed", "Customer placed order", 5, "T1",
          (), _of("sales", "system", "support"), _of("order")),
    Stage(1002, "Finance", "PAYMENT", "Payment Verification", "Payment verified", 10, "T2",
          (1001,), _of("system", "finance"), _of("payment")),
    Stage(1003, "OMS", "ORDER MGMT", "Stock Allocation", "Inventory reserved", 15, "T3",
          (1002,), _of("system"), _of("allocation")),
    Stage(1004, "Procurement", "SOURCING", "Vendor Confirmation", "Vendor accepted order", 20, None,
          (1003,), _of("vendor"), _of("vendor_answer"), with_vendor),
    Stage(1005, "Warehouse", "PICKING", "Item Picking", "Warehouse picking started", 25, "T4",
          (1004,), _FLOOR, _of("pick")),
    Stage(1006, "Warehouse", "QC", "Quality Check", "Barcode/serial verification", 30, "T5",
          (1005,), _FLOOR, _of("qc")),
    Stage(1007, "Warehouse", "PACKING", "Packing Completed", "Packed & labeled", 35, None,
          (1006,), _FLOOR, _of("pieces")),
    Stage(1008, "Dispatch", "LOGISTICS", "Dispatch Generated", "AWB generated", 40, None,
          (1007,), _of("system", "dispatcher"), _of("awb", "carrier_event"), with_transport),
    Stage(1009, "Transport", "LOGISTICS", "Courier Pickup", "Picked by courier", 45, "T6",
          (1008,), _ROAD, _of("pickup_scan", "carrier_event"), with_transport, True),
    Stage(1010, "Transport", "LOGISTICS", "In Transit", "Shipment moving", 50, "T7",
          (1009,), _ROAD, _of("departure_scan", "carrier_event"), with_transport, True),
    Stage(1011, "Transport", "LOGISTICS", "Regional Hub", "Hub scanning completed", 55, None,
          (1010,), _ROAD | _of("warehouse"), _of("hub_scan", "carrier_event"), with_transport,
          False, 1012),
    Stage(1012, "Transport", "LOGISTICS", "Out For Delivery", "Delivery assigned", 60, "T8",
          (1010,), _ROAD, _of("run", "carrier_event"), with_transport, True),
    Stage(1013, "Delivery", "DELIVERY", "Delivered", "Customer received item", 70, "T9",
          (1012,), _ROAD | _of("store", "vendor_store"), _of("pod", "carrier_event")),
    Stage(1014, "Service", "INSTALLATION", "Installation Scheduled", "Technician assigned", 75, "T10",
          (1013,), _of("system", "dispatcher", "support", "customer"), _of("visit"),
          with_installation),
    Stage(1015, "Service", "INSTALLATION", "Installation Completed", "Demo completed", 85, "T11",
          (1014,), _of("technician"), _of("report"), with_installation),
    Stage(1016, "CRM", "CUSTOMER CARE", "Feedback", "Customer rating captured", 90, None,
          (1015,), _of("customer", "support", "system"), _of("feedback", "not_given")),
    Stage(1017, "Finance", "SETTLEMENT", "Vendor Payment", "Payment released", 95, None,
          (1015,), _of("system"), _of("tranches"), with_vendor),
    Stage(1018, "CRM", "WARRANTY", "Warranty Activated", "Warranty registered", 100, "T12",
          (1015,), _of("system"), _of("certificate"), with_warranty),
)
# fmt: on

BY_CODE: Mapping[int, Stage] = {stage.code: stage for stage in STAGES}

PROVES_TRANSPORT = _of("carrier_event", "departure_scan", "hub_scan", "run", "pod")
"""A step with one of these proofs implies the transport scans missing before it (SPEC J readings)."""


class BadTable(ValueError):
    """The table of stages contradicts itself; the program does not start."""


def check(stages: tuple[Stage, ...] = STAGES) -> None:
    """Refuse a table with an unknown target, an unreachable stage or a falling progress.

    Raises: BadTable.
    """
    known: set[int] = set()
    progress = 0
    for stage in stages:
        if stage.code in known:
            raise BadTable(f"{stage.code} stands twice")
        if not set(stage.after) <= known:
            raise BadTable(f"{stage.code} waits for a stage that no earlier row names")
        if not stage.after and known:
            raise BadTable(f"{stage.code} cannot be reached from the first stage")
        if stage.progress <= progress:
            raise BadTable(f"{stage.code} does not raise the progress above {progress} %")
        if not stage.roles or not stage.evidence:
            raise BadTable(f"{stage.code} names no role or no evidence")
        known.add(stage.code)
        progress = stage.progress
    if progress != 100:
        raise BadTable("the last stage is not 100 %")
    unknown = {stage.optional for stage in stages if stage.optional} - known
    if unknown:
        raise BadTable(f"an optional stage names {unknown}, which no row has")


check()
