"""What a word means that somebody writes to one of our numbers: STOP, START, HELP, or for a person."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

TakenAs = Literal["stop", "start", "help", "words"]

# fmt: off
# "Cancel" is not among them: whoever writes it may mean his order.
STOP = frozenset({
    "stop", "stopall", "unsubscribe", "quit", "optout",
    "रोकें", "रोको", "बंद", "स्टॉप",
    "توقف", "إيقاف", "ايقاف", "قف",
})
START = frozenset({
    "start", "unstop", "subscribe", "optin",
    "शुरू", "चालू", "स्टार्ट",
    "ابدأ", "ابدا", "بدء", "اشتراك",
})
HELP = frozenset({
    "help", "info",
    "मदद", "सहायता", "हेल्प",
    "مساعدة", "مساعده",
})
# fmt: on


def taken_as(words: str) -> TakenAs:
    """Tell what somebody means by a whole message; a keyword inside a sentence is for a person.

    Capitals, signs and the marks over Arabic letters do not matter.
    """
    plain = unicodedata.normalize("NFC", words).casefold()
    plain = re.sub(r"[\u064b-\u0652\u0640]", "", plain)
    only = re.sub(r"[\s.,!?'\"«»।؟،:;_-]+", "", plain)
    if only in STOP:
        return "stop"
    if only in START:
        return "start"
    return "help" if only in HELP else "words"
