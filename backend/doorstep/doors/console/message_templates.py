"""Administrators: by which words customers are told, in every language, and how they would read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.modules.messages import rules, template_rules
from doorstep.modules.messages.rules import Channel
from doorstep.modules.messages.service import templates
from doorstep.modules.messages.template_rules import NoSuchTemplate, TemplateNotValid
from doorstep.settings import settings

TAGS = ["messages"]
NOT_NUL = r"^[^\x00]*$"

Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[a-z_]+$")]


class TextIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a message says in one language; `subject` only in an e-mail.

    `provider_template` is the name of these words at WhatsApp, or their DLT id at MSG91.
    """

    body: Annotated[str, Meta(min_length=1, max_length=3000, pattern=NOT_NUL)]
    subject: Annotated[str, Meta(max_length=200, pattern=NOT_NUL)] = ""
    provider_template: Annotated[str, Meta(max_length=200, pattern=r"^[A-Za-z0-9_.-]*$")] = ""


class TemplateIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The words of a template on a channel, in every language (en, hi, ar)."""

    template: Name
    channel: Channel
    texts: Annotated[dict[str, TextIn], Meta(min_length=1, max_length=10)]


class TextOut(Struct):
    """What a message says in one language."""

    subject: str
    body: str
    provider_template: str


class VersionOut(Struct, kw_only=True):
    """A version of a template; the shipped one was written by nobody."""

    template: str
    channel: Channel
    version: int
    texts: dict[str, TextOut]
    written_by: str | None
    written_at: datetime | None


class TemplateOut(Struct, kw_only=True):
    """A template: the events that use it, what may be filled in, and what must be."""

    template: str
    channel: Channel
    events: list[str]
    placeholders: list[str]
    essential: list[str]


class TemplateKept(Struct):
    """The version that holds now."""

    version: int


class PreviewOut(Struct):
    """How a message would read, in one language, with sample facts."""

    subject: str
    body: str


@get(
    "/console/message-templates",
    operation_id="listMessageTemplates",
    opt=needs("messages:template:read"),
    tags=TAGS,
)
async def list_templates() -> list[TemplateOut]:
    """List every template on every channel that has words for it."""
    found: list[tuple[str, Channel]] = [
        (name, channel)
        for name in sorted(rules.TEMPLATES)
        for channel in rules.CHANNELS
        if rules.TEMPLATES[name].texts(channel)
    ]
    return [_described(name, channel) for name, channel in found]


def _described(name: str, channel: Channel) -> TemplateOut:
    shipped = rules.placeholders(rules.TEMPLATES[name].texts(channel)["en"])
    return TemplateOut(
        template=name,
        channel=channel,
        events=sorted(event for event, told in rules.EVENTS.items() if told.template == name),
        placeholders=sorted(template_rules.allowed(name)),
        essential=sorted(shipped & rules.ESSENTIAL),
    )


@get(
    "/console/message-templates/{template:str}/{channel:str}",
    operation_id="listMessageTemplateVersions",
    opt=needs("messages:template:read"),
    responses=problems(NoSuchTemplate),
    tags=TAGS,
)
async def list_versions(template: str, channel: str) -> list[VersionOut]:
    """List the versions of a template on a channel, newest first; the first one holds."""
    known = next((one for one in rules.CHANNELS if one == channel), None)
    if known is None:
        raise NoSuchTemplate(f"{template} {channel}")
    texts, version = templates.shipped_texts(template, known)
    shipped = {
        "template": template,
        "channel": known,
        "version": version,
        "texts": texts,
        "written_by": None,
        "written_at": None,
    }
    return msgspec.convert([*await templates.history(template, known), shipped], list[VersionOut])


@post(
    "/console/message-templates",
    operation_id="saveMessageTemplate",
    opt=needs("messages:template:write"),
    status_code=200,
    responses=problems(NoSuchTemplate, TemplateNotValid),
    tags=TAGS,
)
async def save_template(data: TemplateIn, actor: Actor) -> TemplateKept:
    """Let messages say something else from the next one on; to switch back, save the old words again."""
    version = await templates.save(data.template, data.channel, _texts(data), actor.person_id)
    return TemplateKept(version)


@post(
    "/console/message-templates/preview",
    operation_id="previewMessageTemplate",
    opt=needs("messages:template:write"),
    status_code=200,
    responses=problems(NoSuchTemplate, TemplateNotValid),
    tags=TAGS,
)
async def preview_template(data: TemplateIn) -> dict[str, PreviewOut]:
    """Show how words would read in each language with sample facts; nothing is kept."""
    texts = _texts(data)
    template_rules.check_texts(data.template, data.channel, texts)
    company = settings().company_name
    return {one: PreviewOut(*template_rules.preview(texts[one], company)) for one in texts}


def _texts(data: TemplateIn) -> dict[str, rules.Text]:
    return {
        language: rules.Text(
            body=text.body, subject=text.subject, provider_template=text.provider_template
        )
        for language, text in data.texts.items()
    }


handlers = [list_templates, list_versions, save_template, preview_template]
"""The routes of this door."""
