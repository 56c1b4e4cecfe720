"""The use-cases of field service; the only code that writes its tables."""

from doorstep.modules.fsm.service.checklists import (
    checklists_by_id,
    current_checklists,
    save_checklist,
)
from doorstep.modules.fsm.service.reports import (
    approve_report,
    keep_report,
    mark_bytes_verified,
    mark_photo_verified,
    settle_report,
)
from doorstep.modules.fsm.service.technicians import create_technician, technicians_for
from doorstep.modules.fsm.service.visits import (
    MAX_SLOTS,
    book,
    cancel_visit,
    complete_visit,
    drop_visit,
    drop_visits_of_claims,
    fail_visit,
    free_slots,
    keep_failure,
    known_failure,
    move_visit,
    start_visit,
)

__all__ = [
    "MAX_SLOTS",
    "approve_report",
    "book",
    "cancel_visit",
    "checklists_by_id",
    "complete_visit",
    "create_technician",
    "current_checklists",
    "drop_visit",
    "drop_visits_of_claims",
    "fail_visit",
    "free_slots",
    "keep_failure",
    "keep_report",
    "known_failure",
    "mark_bytes_verified",
    "mark_photo_verified",
    "move_visit",
    "save_checklist",
    "settle_report",
    "start_visit",
    "technicians_for",
]
