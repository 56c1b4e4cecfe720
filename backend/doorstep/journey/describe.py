"""The journey as data: `api_schema/journey.json` and `make journey`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doorstep.journey.detours import DETOURS, Detour
from doorstep.journey.rules import Verdict
from doorstep.journey.stages import STAGES, Stage, always
from doorstep.journey.timeline import LANGUAGES, describe_milestones, detour_words


def describe() -> dict[str, Any]:
    """Give stages, detours, milestones and verdicts as data, for other programs and drift checks."""
    return {
        "stages": [_stage(stage) for stage in STAGES],
        "milestones": describe_milestones(),
        "detours": [_detour(detour) for detour in DETOURS],
        "verdicts": [verdict.value for verdict in Verdict if verdict is not Verdict.QUEUED],
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "code": stage.code,
        "department": stage.department,
        "process": stage.process,
        "activity": stage.activity,
        "action": stage.action,
        "progress": stage.progress,
        "milestone": stage.milestone,
        "after": list(stage.after),
        "roles": sorted(stage.roles),
        "evidence": sorted(stage.evidence),
        "applies_if": None if stage.applies_if is always else stage.applies_if.__name__,
        "implied_by_later": stage.implied_by_later,
        "optional": stage.optional is not None,
    }


def _detour(detour: Detour) -> dict[str, Any]:
    return {
        "kind": detour.kind,
        "department": detour.department,
        "first": detour.first,
        "until": detour.until,
        "opened_by": sorted(detour.opened_by),
        "settled_by": sorted(detour.settled_by),
        "settled_at": sorted(detour.settled_at),
        "blocks_from": detour.blocks_from,
        "restarts": detour.restarts,
        "ends_as": detour.ends_as,
        "holds_from": detour.holds_from,
        "reasons": sorted(detour.reasons),
        "dated_by": sorted(detour.dated_by),
        "accepted_by": sorted(detour.accepted_by),
        "undoes": detour.undoes,
        "told": {language: detour_words(detour.kind, language) for language in LANGUAGES}
        if detour.told
        else None,
    }


def as_table() -> str:
    """Write the two tables that `make journey` prints: the stages, then the detours beside them."""
    stages = [("code", "department", "activity", "action", "%", "after", "who", "evidence")]
    stages += [
        (
            str(stage.code),
            stage.department,
            stage.activity,
            stage.action,
            str(stage.progress),
            ", ".join(map(str, stage.after)) or "–",
            ", ".join(sorted(stage.roles)),
            " or ".join(sorted(stage.evidence)),
        )
        for stage in STAGES
    ]
    detours = [("detour", "department", "from", "until", "effect", "reported by", "gives back")]
    detours += [
        (
            detour.kind,
            detour.department,
            str(detour.first),
            str(detour.until or "–"),
            _effect(detour),
            ", ".join(sorted(detour.opened_by)),
            detour.undoes,
        )
        for detour in DETOURS
    ]
    return f"{_table(stages)}\n\n{_table(detours)}"


def _effect(detour: Detour) -> str:
    if detour.ends_as is not None:
        return f"ends: {detour.ends_as}"
    if detour.restarts is not None:
        return f"again from {detour.restarts}"
    return f"blocks from {detour.blocks_from}" if detour.blocks_from is not None else "noted"


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)
