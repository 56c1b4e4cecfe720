"""The use-cases of transport; the only code that writes its tables."""

from doorstep.modules.tms.service.attempts import failed_attempts, keep_attempt, known_attempt
from doorstep.modules.tms.service.carriers import (
    Service,
    ShipmentBooked,
    carrier_by_code,
    choose_carrier,
    create_carrier,
    create_shipment,
    keep_carrier_event,
    move_pickup,
    next_awb,
)
from doorstep.modules.tms.service.codes import check_code, issue_code
from doorstep.modules.tms.service.fleet import find_vehicle, save_crew, save_vehicle
from doorstep.modules.tms.service.manifests import confirm_pickup, create_manifest
from doorstep.modules.tms.service.pods import (
    keep_pod,
    mark_bytes_verified,
    mark_photo_verified,
    recipes,
    save_recipe,
    settle_pod,
)
from doorstep.modules.tms.service.runs import (
    accept_run,
    close_stop,
    drop_stop,
    fail_stop,
    plan_run,
    remove_stop,
)
from doorstep.modules.tms.service.scans import Kept, keep_scans
from doorstep.modules.tms.service.shifts import (
    begin_closing,
    cancel_shift,
    end_shift,
    keep_explanation,
    lock_shift,
    open_shift,
    plan_shift,
    read_shift,
    reopen,
)
from doorstep.modules.tms.service.van_downs import (
    Handover,
    find_van_down,
    hand_over_stop,
    keep_van_down,
    parcels_of,
)

__all__ = [
    "Handover",
    "Kept",
    "Service",
    "ShipmentBooked",
    "accept_run",
    "begin_closing",
    "cancel_shift",
    "carrier_by_code",
    "check_code",
    "choose_carrier",
    "close_stop",
    "confirm_pickup",
    "create_carrier",
    "create_manifest",
    "create_shipment",
    "drop_stop",
    "end_shift",
    "fail_stop",
    "failed_attempts",
    "find_van_down",
    "find_vehicle",
    "hand_over_stop",
    "issue_code",
    "keep_attempt",
    "keep_carrier_event",
    "keep_explanation",
    "keep_pod",
    "keep_scans",
    "keep_van_down",
    "known_attempt",
    "lock_shift",
    "mark_bytes_verified",
    "mark_photo_verified",
    "move_pickup",
    "next_awb",
    "open_shift",
    "parcels_of",
    "plan_run",
    "plan_shift",
    "read_shift",
    "recipes",
    "remove_stop",
    "reopen",
    "save_crew",
    "save_recipe",
    "save_vehicle",
    "settle_pod",
]
