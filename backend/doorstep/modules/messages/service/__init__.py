"""Use-cases of messages: write what is to be told, carry it, record what became of it, who wants none."""

from doorstep.modules.messages.service.delivery import (
    Later,
    Outgoing,
    begin,
    follow_up,
    give_up,
    mark_sent,
    mark_unknown,
    put_back,
)
from doorstep.modules.messages.service.preferences import set_preference, wants
from doorstep.modules.messages.service.reports import keep_inbound, keep_report
from doorstep.modules.messages.service.writing import About, Recipient, write

__all__ = [
    "About",
    "Later",
    "Outgoing",
    "Recipient",
    "begin",
    "follow_up",
    "give_up",
    "keep_inbound",
    "keep_report",
    "mark_sent",
    "mark_unknown",
    "put_back",
    "set_preference",
    "wants",
    "write",
]
