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

__all__ = [
    "Kept",
    "Service",
    "ShipmentBooked",
    "accept_run",
    "carrier_by_code",
    "check_code",
    "choose_carrier",
    "close_stop",
    "confirm_pickup",
    "create_carrier",
    "create_manifest",
    "create_shipment",
    "drop_stop",
    "fail_stop",
    "failed_attempts",
    "issue_code",
    "keep_attempt",
    "keep_carrier_event",
    "keep_pod",
    "keep_scans",
    "known_attempt",
    "mark_bytes_verified",
    "mark_photo_verified",
    "move_pickup",
    "next_awb",
    "plan_run",
    "recipes",
    "remove_stop",
    "save_recipe",
    "settle_pod",
]
