"""A company's own words: saved in versions, read once per process and again when there are newer ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.messages import rules, template_rules
from doorstep.modules.messages.rules import Channel, Text

NEWEST = """
SELECT DISTINCT ON (template, channel, language)
       template, channel, language, version, subject, body, provider_template
  FROM message_template ORDER BY template, channel, language, version DESC
"""

HISTORY = """
SELECT t.template, t.channel, t.version, max(t.written_at) AS written_at, max(p.name) AS written_by,
       jsonb_object_agg(t.language, jsonb_build_object(
         'subject', t.subject, 'body', t.body, 'provider_template', t.provider_template)) AS texts
  FROM message_template t LEFT JOIN person p ON p.id = t.written_by
 WHERE t.template = $1 AND t.channel = $2
 GROUP BY 1, 2, 3 ORDER BY t.version DESC LIMIT 100
"""

SAVE = """
INSERT INTO message_template (id, number, template, channel, language, version, subject, body,
                              provider_template, written_by, written_at)
SELECT new.id, $1, $2, $3, new.language, $4, new.subject, new.body, new.provider, $5, $6
  FROM unnest($7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[])
    AS new (id, language, subject, body, provider)
"""

Words = Mapping[tuple[str, str, str], tuple[Text, int]]


class _Kept:
    """The newest own words, as of the last one that was saved when they were read."""

    def __init__(self) -> None:
        self.newest: UUID | None = None
        self.words: Words = {}


_kept = _Kept()


async def own_words(newest: UUID | None) -> Words:
    """Give the company's own words, read again only if `newest` is not the last one known here."""
    if newest is None:
        return {}
    if newest != _kept.newest:
        rows = await db.rows(NEWEST)
        _kept.words = {
            (row["template"], row["channel"], row["language"]): (_text(row), row["version"])
            for row in rows
        }
        _kept.newest = newest
    return _kept.words


def choose(own: Words, template: str, channel: Channel, language: str) -> tuple[Text, int]:
    """Give the words that hold, with their version: the company's own, else those that are shipped."""
    return own.get((template, channel, language)) or rules.shipped(template, channel, language)


def _text(row: Mapping[str, Any]) -> Text:
    return Text(
        subject=row["subject"], body=row["body"], provider_template=row["provider_template"]
    )


@db.transactional
async def save(
    template: str, channel: Channel, texts: Mapping[str, Text], written_by: UUID | None
) -> int:
    """Let a template say something else from now on; return the version. The same again makes no new one.

    Raises: NoSuchTemplate, TemplateNotValid.
    """
    template_rules.check_texts(template, channel, texts)
    # One lock for all: numbers are in the order of COMMIT, so that the newest is the newest.
    await db.value("SELECT pg_advisory_xact_lock(hashtextextended('message_template', 0))")
    versions = await history(template, channel)
    shipped = rules.TEMPLATES[template].version
    if versions and versions[0]["texts"] == _plain(texts):
        version: int = versions[0]["version"]
        return version
    version = max(shipped, versions[0]["version"] if versions else 0) + 1
    number = await db.value("SELECT coalesce(max(number), 0) + 1 FROM message_template")
    languages = sorted(texts)
    await db.execute(
        SAVE, number, template, channel, version, written_by, now(),
        [uuid7() for _ in languages], languages, [texts[one].subject for one in languages],
        [texts[one].body for one in languages],
        [texts[one].provider_template for one in languages],
    )  # fmt: skip
    return version


def _plain(texts: Mapping[str, Text]) -> dict[str, dict[str, str]]:
    return {
        language: {
            "subject": text.subject,
            "body": text.body,
            "provider_template": text.provider_template,
        }
        for language, text in texts.items()
    }


async def history(template: str, channel: Channel) -> list[dict[str, Any]]:
    """List the company's own versions of a template on a channel, newest first."""
    return await db.rows(HISTORY, template, channel)


def shipped_texts(template: str, channel: Channel) -> tuple[dict[str, dict[str, str]], int]:
    """Give the words that are shipped, by language, with their version. Raises: NoSuchTemplate."""
    known = rules.TEMPLATES.get(template)
    if known is None or not known.texts(channel):
        raise template_rules.NoSuchTemplate(f"{template} {channel}")
    found = {one: rules.shipped(template, channel, one)[0] for one in rules.LANGUAGES}
    return _plain(found), known.version
