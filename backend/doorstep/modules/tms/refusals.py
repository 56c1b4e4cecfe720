"""What a person is told when transport cannot do what was asked; nothing has changed then."""

from __future__ import annotations

from doorstep.core.errors import Invalid, NotFound, Refusal


class CarrierUnknown(NotFound):
    title = "There is no such carrier here."


class AwbTaken(Refusal):
    title = "This AWB already belongs to another shipment."


class RunMissing(NotFound):
    title = "There is no such run."


class StopMissing(NotFound):
    title = "There is no such stop."


class PodMissing(NotFound):
    """No such proof, or not one that this person took: both look the same."""

    title = "There is no such proof of yours."


class ManifestMissing(NotFound):
    title = "There is no such manifest."


class AlreadyAssigned(Refusal):
    """Somebody else has the delivery; it must be taken off that run first (IO6)."""

    title = "A delivery is already assigned to another run."


class RunAlreadyAccepted(Refusal):
    title = "This run has already been accepted."


class RunNotAcceptable(Refusal):
    title = "This run is finished or cancelled."


class NothingToCollect(Invalid):
    title = "There is no piece that waits for a courier."


class PieceAlreadyGiven(Refusal):
    title = "A piece already stands on another manifest."


class ManifestAlreadyConfirmed(Refusal):
    title = "The pickup of this manifest has already been confirmed."


class ProofMissing(Invalid):
    title = "A proof that this stop needs is missing."


class CodeUnavailable(NotFound):
    title = "No handover code has been issued for this delivery."


class CodeTriesExhausted(Refusal):
    title = "The handover code was wrong too often; it opens nothing any more."


class VehicleMissing(NotFound):
    title = "There is no such vehicle."


class VehicleCodeTaken(Refusal):
    """The code is another channel's, or a place that is no van has it."""

    title = "This code belongs to something else."


class CrewMissing(NotFound):
    title = "There is no such crew."


class CrewNameTaken(Refusal):
    title = "Another crew of this channel has this name."


class NotFitForACrew(Invalid):
    """A crew is made of couriers, delivery executives and technicians of its channel."""

    title = "Somebody named here does not work on the road in this channel."


class CrewWithoutDriver(Invalid):
    title = "A crew is led by one of its couriers or delivery executives."


class ShiftMissing(NotFound):
    title = "There is no such shift."


class VehicleOfAnotherChannel(Invalid):
    title = "Crew and vehicle of a shift belong to one channel."


class ShiftAlreadyOpened(Refusal):
    title = "This shift has already been opened."


class OnAnotherShift(Refusal):
    """One open shift per vehicle and per person."""

    title = (
        "The vehicle or somebody of the crew is on another open shift, which must be closed first."
    )


class ShiftNotOpen(Refusal):
    title = "This shift is not open."


class ShiftOver(Refusal):
    title = "This shift is being closed, is closed, or was cancelled."


class ShiftHasDeliveries(Refusal):
    """Somebody waits for them: they go to another shift first, as when its van is down."""

    title = "The shift still has deliveries. Give them to another shift first."


class ShiftNotEmpty(Refusal):
    """The crew still holds goods that nothing accounts for, or cash that nobody has counted."""

    title = "The shift cannot be closed while you hold something."


class CrewTooSmall(Refusal):
    title = "The crew is too small for these goods."


class VehicleFull(Refusal):
    title = "The vehicle cannot take these goods."


class NothingToUndo(NotFound):
    title = "No such call has moved anything from that shift to this one."


class SameShift(Invalid):
    title = "Another shift must take over, of the same channel."


class NoSuchWindow(Invalid):
    """It ends in the past or before it begins, or is longer than a day, or a year away."""

    title = "This is no window that a delivery can be promised for."


class OfferMissing(NotFound):
    """No such offer, or not one to this person: both look the same."""

    title = "There is no such offer."


class AlreadyOffered(Refusal):
    """One person is asked at a time; the offer must end or be withdrawn first."""

    title = "This parcel is being offered to somebody."


class OfferOver(Refusal):
    title = "This offer has ended already."


class NotOnTheRoad(Invalid):
    """Work is offered to people whose run has begun, in the channel of the parcel."""

    title = "Work is offered to people whose run of this channel has begun."


class SlotsNotUsable(Invalid):
    title = "Each window ends after it begins, and no two of a weekday share a moment."


class DeliveryNotChoosable(Refusal):
    """`why` is a code of `flows/delivery_slots.py`: the parcel is not where its customer may choose."""

    title = "The time of this delivery cannot be chosen now."


class DeliverySlotTaken(Refusal):
    """Somebody else was quicker, or the time is too near."""

    title = "This time is not free any more. Please choose another one."
