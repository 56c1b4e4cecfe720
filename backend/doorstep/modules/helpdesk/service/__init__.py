"""The use-cases of helpdesk; the only code that writes its tables."""

from doorstep.modules.helpdesk.refusals import ProblemMissing
from doorstep.modules.helpdesk.service.calendars import (
    CalendarData,
    calendar_of,
    list_calendars,
    save_calendar,
)
from doorstep.modules.helpdesk.service.escalations import (
    RuleData,
    escalate_due,
    list_rules,
    replan,
    save_rules,
)
from doorstep.modules.helpdesk.service.field_words import (
    Place,
    add_to_problem,
    is_kept,
    keep_word,
    words_of,
)
from doorstep.modules.helpdesk.service.problems import (
    assign_problem,
    close_problem,
    close_problems,
    close_problems_of,
    open_problem,
    put_off_problem,
    restate_problem,
)

__all__ = [
    "CalendarData",
    "Place",
    "ProblemMissing",
    "RuleData",
    "add_to_problem",
    "assign_problem",
    "calendar_of",
    "close_problem",
    "close_problems",
    "close_problems_of",
    "escalate_due",
    "is_kept",
    "keep_word",
    "list_calendars",
    "list_rules",
    "open_problem",
    "put_off_problem",
    "replan",
    "restate_problem",
    "save_calendar",
    "save_rules",
    "words_of",
]
