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
