"""The words of the customer's page, and its files: checked and put together when the program starts."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from babel import Locale
from babel.dates import format_date, format_datetime
from markupsafe import Markup

from doorstep.doors.track.rules import is_today

LANGUAGES = {"en": "English", "hi": "हिन्दी", "ar": "العربية"}
"""Each in its own name, as the switch shows it."""

PLURALS = frozenset({"zero", "one", "two", "few", "many", "other"})

HOME = resources.files(__package__).joinpath("pages")


class BadPage(ValueError):
    """The texts of two languages do not say the same things; the program does not start."""


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _load() -> dict[str, dict[str, Any]]:
    texts: dict[str, dict[str, Any]] = {
        code: msgspec.json.decode(HOME.joinpath(f"{code}.json").read_bytes()) for code in LANGUAGES
    }
    for code, own in texts.items():
        if own.keys() != texts["en"].keys():
            raise BadPage(f"{code}: {sorted(own.keys() ^ texts['en'].keys())}")
        for key, text in own.items():
            english = texts["en"][key]
            if isinstance(text, dict) != isinstance(english, dict):
                raise BadPage(f"{code} {key} counts in one language only")
            if isinstance(text, dict):
                if text.keys() != PLURALS:
                    raise BadPage(f"{code} {key} lacks a number")
            elif _placeholders(text) != _placeholders(english):
                raise BadPage(f"{code} {key} has other placeholders")
    return texts


_TEXTS = _load()


class Words:
    """What the page says in one language, on the clock of one place."""

    def __init__(self, language: str, zone: str = "UTC") -> None:
        self.language = language if language in LANGUAGES else "en"
        self.direction = "rtl" if self.language == "ar" else "ltr"
        self._zone = ZoneInfo(zone)
        self._texts: Mapping[str, Any] = _TEXTS[self.language]

    def __call__(self, key: str, **facts: object) -> str:
        """Say something."""
        text: str = self._texts[key]
        return text.format_map(facts) if facts else text

    def listed(self, names: Iterable[str]) -> str:
        """Name one after the other."""
        return ("، " if self.language == "ar" else ", ").join(names)

    def isolated(self, name: str) -> str:
        """Keep a name of Latin letters in its own direction within words that run the other way."""
        return f"\u2068{name}\u2069" if self.direction == "rtl" else name

    def refusal(self, kind: str) -> str:
        """Say why something was not done."""
        return str(self._texts.get(f"no_{kind}", self._texts["no_other"]))

    def count(self, key: str, n: int) -> str:
        """Say how many, in the form that the number has; none is a sentence of its own."""
        form = Locale(self.language).plural_form(n) if n else "zero"
        text: str = self._texts[key][form]
        return text.format(n=n)

    def between(self, start: datetime, end: datetime, present: datetime) -> str:
        """Say from when until when: today, or on which day."""
        times = {"from": self.clock(start), "until": self.clock(end)}
        if is_today(start, self._zone, present):
            return self("today_between", **times)
        day = format_date(start.astimezone(self._zone), "EEEE d MMMM", locale=self.language)
        return self("day_between", day=day, **times)

    def clock(self, at: datetime) -> str:
        """Write the time of a day."""
        return format_datetime(at.astimezone(self._zone), "HH:mm", locale=self.language)

    def when(self, at: datetime) -> str:
        """Write a moment, short: `Tue 24 Nov, 14:00`."""
        form = "EEE d MMM، HH:mm" if self.language == "ar" else "EEE d MMM, HH:mm"
        return format_datetime(at.astimezone(self._zone), form, locale=self.language)

    def day(self, on: date) -> str:
        """Write a day: `Saturday 5 December`."""
        return format_date(on, "EEEE d MMMM", locale=self.language)

    def date(self, on: date) -> str:
        """Write a date with its year."""
        return format_date(on, "d MMMM y", locale=self.language)


def _css() -> str:
    """Read the style sheet without what only people need in it."""
    lines = (line.strip() for line in HOME.joinpath("page.css").read_text().splitlines())
    return "".join(line for line in lines if not line.startswith("/*"))


CSS = _css()
STYLE_HASH = b64encode(hashlib.sha256(CSS.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""One style sheet in the page, by its hash; one script of ours; nothing from anywhere else."""

POLICY_WITH_FACES = f"{POLICY}; img-src 'self'"
"""The same for a page with a portrait on it; elsewhere browsers would only look for an icon of ours."""


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: HOME.joinpath(name).read_text()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def add_filter(name: str, function: Callable[[str], Markup]) -> None:
    """Let templates use a function as a filter."""
    _templates().filters[name] = function


def render(name: str, **facts: Any) -> str:
    """Write a page; whatever is not ours in it is escaped."""
    text = _templates().get_template(name).render(css=Markup(CSS), languages=LANGUAGES, **facts)  # noqa: S704
    # Indentation is for those who read the template.
    return "\n".join(stripped for line in text.splitlines() if (stripped := line.strip()))
