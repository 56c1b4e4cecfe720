"""Printed papers: a typst template in the package and plain values become a PDF.

The PDF is PDF/A-2b, because papers are archived for years (SPEC P19). That standard allows no
missing letter, so a letter that none of our fonts has is found when the paper is made: it is
logged, and the paper still comes out, with a box for that letter. The same values give the same
bytes.

Rendering is CPU work of 2-40 ms outside the interpreter's lock: call it in a job or a thread.
"""

from __future__ import annotations

import functools
import threading
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
import typst
from babel.dates import format_date

from doorstep.settings import settings

PACKAGE = Path(__file__).parents[1]
INSTALLED_FONTS = PACKAGE.parent / "fonts" / "node_modules" / "@expo-google-fonts"
FAMILIES = ("Noto Sans", "Noto Sans Arabic", "Noto Sans Devanagari")
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)
STANDARD = "a-2b"

LOCALES = {"en": "en_GB", "hi": "hi_IN", "ar": "ar_AE"}
"""The languages that papers are printed in, and how each writes a date."""

log = structlog.get_logger(__name__)


class FontsMissing(RuntimeError):
    """The fonts are not installed (`make` does it) or FONT_PATH names another folder."""


class TemplateBroken(RuntimeError):
    """A template does not compile, or typst warns about it: a programming error."""


class _LetterMissing(Exception):
    pass


def render(template: str, data: dict[str, Any], *, dated: date | None = None) -> bytes:
    """Make the PDF of a template (`modules/wms/documents/label.typ`) filled with the values.

    `dated` becomes the PDF's creation date.

    Raises: TemplateBroken, FontsMissing.
    """
    try:
        return _document(template, data, dated, STANDARD)
    except _LetterMissing as missing:
        log.warning("core.paper_letter_missing", template=template, detail=str(missing))
        return _document(template, data, dated, None)


def pages(template: str, data: dict[str, Any], *, ppi: float = 203) -> list[bytes]:
    """Draw the pages as PNG, by default with the 203 dots per inch of a label printer.

    Raises: TemplateBroken, FontsMissing.
    """
    drawn = _compile(template, data, format="png", ppi=ppi)
    return drawn if isinstance(drawn, list) else [drawn]


def date_text(day: date, language: str) -> str:
    """Write a date as people of the language do: `23 November 2026`."""
    return format_date(day, format="d MMMM y", locale=LOCALES[language])


def _document(
    template: str, data: dict[str, Any], dated: date | None, standard: str | None
) -> bytes:
    moment = UNDATED if dated is None else datetime(dated.year, dated.month, dated.day, tzinfo=UTC)
    made: bytes = _compile(
        template, data, format="pdf", timestamp=moment, pdf_standards=standard and [standard]
    )
    return made


def _compile(template: str, data: dict[str, Any], **options: Any) -> Any:
    compiler, lock = _warm(template)
    inputs = {"data": msgspec.json.encode(data).decode()}
    try:
        with lock:
            made, warnings = compiler.compile_with_warnings(sys_inputs=inputs, **options)
    except typst.TypstError as error:
        if "could not be displayed with font" in error.message:
            raise _LetterMissing(error.message) from error
        raise TemplateBroken(f"{template}: {error.diagnostic}") from error
    if warnings:
        raise TemplateBroken(f"{template}: {warnings[0].diagnostic}")
    return made


@functools.cache
def _warm(template: str) -> tuple[typst.Compiler, threading.Lock]:
    """Keep one compiler per template and process: the second paper takes a tenth of the first."""
    path = PACKAGE / template
    compiler = typst.Compiler(
        str(path), root=str(PACKAGE), font_paths=_fonts(), ignore_system_fonts=True
    )
    return compiler, threading.Lock()


@functools.cache
def _fonts() -> typst.Fonts:
    folder = settings().font_path or str(INSTALLED_FONTS)
    # System fonts are never scanned: it takes seconds, and each machine would print differently.
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
    )
    if missing := set(FAMILIES) - set(fonts.families()):
        raise FontsMissing(f"{', '.join(sorted(missing))} not found in {folder}.")
    return fonts
