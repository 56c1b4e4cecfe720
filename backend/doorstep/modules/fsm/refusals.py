"""What a person is told when field service cannot do what was asked; nothing has changed then."""

from __future__ import annotations

from doorstep.core.errors import Invalid, NotFound, Refusal


class VisitMissing(NotFound):
    title = "There is no such visit."


class VisitAlreadyBooked(Refusal):
    title = "A visit is already booked for this delivery."


class VisitOver(Refusal):
    title = "This visit has already been completed or cancelled."


class SlotTaken(Refusal):
    """The technician has another visit at that time (IO6)."""

    title = "The technician is not free at that time."


class NoFreeSlot(Refusal):
    title = "No technician with the skill is free in the next two weeks."


class NothingToInstall(Invalid):
    title = "Nothing of this delivery needs an installation."


class SkillLacking(Invalid):
    title = "The technician lacks a skill that this installation needs."


class OutsideHours(Invalid):
    title = "The visit would lie outside the technician's working hours."


class VisitTimeImpossible(Invalid):
    title = "A visit begins between now and a year from now."


class GoodsMustStand(Invalid):
    """Some goods must stand before they are plugged in (SPEC J readings)."""

    title = "The goods must stand longer before they may be installed."


class ChecklistNotMade(Invalid):
    title = "The checklist is not well formed."


class ReportIncomplete(Invalid):
    title = "The report lacks something that this installation needs."


class ReportMissing(NotFound):
    title = "No report waits for approval here."


class BillInAnotherCurrency(Refusal):
    title = "Extras are paid in the currency of their order."


class MoreThanBilled(Refusal):
    """What was agreed to at the visit, less what was paid, is all that a customer can pay for it."""

    title = "That much is not open of the extras of this visit."


class ManualNotInEnglish(Invalid):
    """Whoever reads none of its languages gets the English text."""

    title = "A manual has its text in English, whatever other languages it has."


class PriceNotNamed(Invalid):
    title = "A price has a name in every language of its channel."


class PriceNotTimed(Invalid):
    title = "A price ends after it begins, and times are given with their offset."


class PartUnknown(Invalid):
    title = "There is no product with this SKU."


class NothingMoved(Invalid):
    title = "At least one piece is loaded or taken off."


class TechnicianMissing(NotFound):
    title = "There is no such technician."


class VisitNotMovable(Refusal):
    """It has begun, is over, or begins so soon that the technician may be under way."""

    title = "This visit cannot be moved any more."
