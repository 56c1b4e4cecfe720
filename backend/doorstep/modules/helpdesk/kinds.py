"""Every kind of problem there is: whose it is, how soon, what resolves it. One row per kind.

A kind that code opens and that has no row here is a programming error (tests/unit/test_kinds.py
reads the source for them).
"""

# ruff: noqa: E501 - one row per kind, however long its sentence.

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Kind(NamedTuple):
    """A row: `hours` are business hours, `operation` is a row of OPERATIONS, `words` say what to do."""

    owner_role: str
    hours: int
    operation: str
    words: str


class UnknownKind(KeyError):
    """A problem of a kind that no row declares: a programming error."""


CLOSE = "closeProblem"
"""The operation of those problems that a person resolves elsewhere and then closes."""

SETTLE = "settleDetour"
"""The operation of those problems that are a detour: settling it closes them."""

OPERATIONS: Mapping[str, tuple[str, str]] = {
    SETTLE: ("POST", "/console/fulfilments/{fulfilment_id}/detours/{kind}/settle"),
    "setExpectedDate": ("POST", "/console/fulfilments/{fulfilment_id}/detours/{kind}/date"),
    "releaseRest": ("POST", "/console/finance/purchase-orders/{ref}/rest"),
    "completeOrderAddress": ("POST", "/console/orders/{order_id}/address"),
    "countCash": ("POST", "/console/finance/cash-counts"),
    "recordRefund": ("POST", "/console/finance/orders/{order_id}/refunds"),
    "cancelOrder": ("POST", "/console/orders/{order_id}/cancel"),
    "reportDetour": ("POST", "/console/fulfilments/{fulfilment_id}/detours"),
    CLOSE: ("POST", "/problems/{problem_id}/close"),
    "acceptProofOfDelivery": ("POST", "/console/pods/{ref}/accept"),
    "approveInstallation": ("POST", "/console/visits/{visit_id}/approve"),
    "approvePayment": ("POST", "/console/finance/orders/{order_id}/payment-approval"),
    "approveOrder": ("POST", "/console/approvals/{ref}/approve"),
    "bookVisit": ("POST", "/console/visits"),
    "cancelVisit": ("POST", "/console/visits/{ref}/cancel"),
    "decideAdjustment": ("POST", "/console/adjustments/{ref}/decision"),
    "payTrancheAgain": ("POST", "/console/finance/tranches/{tranche_id}/payouts"),
    "recordExtrasPayment": ("POST", "/console/visits/{visit_id}/extras-payments"),
    "recordAwb": ("POST", "/console/shipments"),
    "resolveTicket": ("POST", "/tickets/{ref}/resolve"),
}
"""Operation → method and path; the names in braces are filled in from the problem."""

# fmt: off
KINDS: Mapping[str, Kind] = {
    # Money of customers
    "payment_failed": Kind("finance", 4, CLOSE, "Ask the customer to pay another way, or cancel the order."),
    "payment_held": Kind("finance", 4, CLOSE, "Compare the gateway with the order, then ask for the rest or refund it."),
    "payment_approval_waiting": Kind("finance", 2, "approvePayment", "Approve payment at the door, or cancel the order."),
    "payment_currency": Kind("finance", 4, CLOSE, "Refund the payment at the gateway and ask for the right currency."),
    "payment_unexpected": Kind("finance", 8, CLOSE, "Find the order it belongs to, or refund it at the gateway."),
    "payment_stopped": Kind("finance", 2, CLOSE, "Ask the gateway why it stopped the payment."),
    "door_payment_differs": Kind("finance", 8, CLOSE, "Ask the courier, then collect the rest or return what is too much."),
    "cash_difference": Kind("finance", 8, CLOSE, "Recount with the courier and note what was found."),
    # Money of vendors
    "payout_failed": Kind("finance", 8, "payTrancheAgain", "Correct the vendor's account, then pay again."),
    "payout_reversed": Kind("finance", 8, "payTrancheAgain", "Correct the vendor's account, then pay again."),
    "payout_unknown": Kind("finance", 4, CLOSE, "Ask the bank whether it paid before anything is paid again."),
    "payout_paid_twice": Kind("finance", 2, CLOSE, "Ask the bank and the vendor for the second payment back."),
    # Vendors
    "cost_missing": Kind("admin", 4, CLOSE, "Enter the vendor's purchase price; the order goes on within the hour."),
    "vendor_silent": Kind("dispatcher", 2, SETTLE, "Call the vendor and report vendor_declined if he has none; when his time is up, the goods are sourced elsewhere."),
    "vendor_ready_later": Kind("dispatcher", 2, "setExpectedDate", "Call the vendor: set the new date he names, or settle it when the goods are here."),
    "vendor_unreachable": Kind("admin", 4, CLOSE, "Enter the vendor's e-mail address and call about this order."),
    # Stock and routing
    "short_stock": Kind("dispatcher", 4, "setExpectedDate", "Restock, and the order routes itself; or set the date that the customer accepts or cancels by; or cancel."),
    "reservation_approval": Kind("dispatcher", 2, "approveOrder", "Compare both forms, then approve or reject the order."),
    "unrouted": Kind("dispatcher", 1, CLOSE, "Restock, route the order by hand, or ask the customer."),
    "address_incomplete": Kind("dispatcher", 4, "completeOrderAddress", "Call the customer before the goods leave and write down what his address lacks; it ends by itself when nothing does."),
    # Steps that were kept beside the journey
    "review": Kind("dispatcher", 8, CLOSE, "Look at what was captured and decide whether it counts."),
    "step_held": Kind("dispatcher", 4, CLOSE, "Find out why the step before is missing, and do it or report what happened instead; what was held then counts by itself."),
    "capture_refused": Kind("dispatcher", 8, CLOSE, "Look at what the phone captured, and do by hand what of it should count."),
    "capture_surrendered": Kind("dispatcher", 8, CLOSE, "The phone was locked or shut out before it came in: ask its owner, and do by hand what of it should count."),
    "dead_letter": Kind("admin", 4, CLOSE, "Find out why the job fails (GET /operations/dead-letters), then have it done again or do by hand what it would have done."),
    "capture_unproven": Kind("admin", 8, CLOSE, "Ask the phone's owner what was captured, do by hand what counts, and enrol the phone anew if it happens again."),
    "capture_rejected": Kind("admin", 8, CLOSE, "Look at the phone and its version: what it hands in cannot be carried out, and stays on it."),
    "capture_stuck": Kind("admin", 4, CLOSE, "Find out why it fails, then do by hand what was captured."),
    "captures_waiting": Kind("dispatcher", 2, CLOSE, "Have the phone opened with a signal before its shift ends: only it has this work."),
    "phone_lost_data": Kind("dispatcher", 2, CLOSE, "Ask its owner what was done since it was heard last, have that done or written down again, and revoke the old device."),
    "captures_quarantined": Kind("dispatcher", 8, CLOSE, "Open with its owner what needs attention on the phone: send it again, or do by hand what of it should count."),
    "webhook_unmatched": Kind("support", 8, CLOSE, "Find what the message belongs to, or tell its sender."),
    "message_refused": Kind("support", 8, CLOSE, "Correct the address and tell the customer by phone."),
    # Transport
    "delivered_by_another": Kind("dispatcher", 4, CLOSE, "Tell whoever has the delivery now that it is made, if he is without a signal."),
    "awb_needed": Kind("dispatcher", 2, "recordAwb", "Book the parcel with the carrier and enter its AWB."),
    "pickup_count_differs": Kind("dispatcher", 2, CLOSE, "Find the missing pieces with the courier and the warehouse."),
    "pickup_missed": Kind("dispatcher", 2, SETTLE, "Call the carrier; the next window is planned already."),
    "carrier_delayed": Kind("dispatcher", 8, SETTLE, "Ask the carrier for a new date and tell the customer."),
    "carrier_lost": Kind("dispatcher", 4, "reportDetour", "Report it as lost, and the goods are sent again; or settle it when they are found."),
    "carrier_damaged": Kind("dispatcher", 4, "reportDetour", "Report it as replaced (damaged), and the goods are sent again; or settle it."),
    "attempt_contradicted": Kind("dispatcher", 1, CLOSE, "Compare photo, place and wait at the door, call both, and send the van back if it is near."),
    "carrier_cancelled": Kind("dispatcher", 4, CLOSE, "Book another carrier."),
    "return_to_origin": Kind("dispatcher", 24, SETTLE, "Receive the goods by scan; or settle it, when the customer takes them after all."),
    "shipment_to_cancel": Kind("dispatcher", 2, CLOSE, "Tell the carrier to stop the shipment and send it back."),
    "returned_to_origin": Kind("dispatcher", 8, CLOSE, "Receive the goods and settle the order."),
    "unknown_status": Kind("dispatcher", 8, CLOSE, "Ask the carrier what the status means."),
    # The door
    "pod_incomplete": Kind("dispatcher", 4, "acceptProofOfDelivery", "Ask for what is missing, or let the proof count."),
    "handover_code_wrong": Kind("dispatcher", 4, "acceptProofOfDelivery", "Ask the customer whether the goods have arrived; if so, let the proof count: the vendor's money waits for it."),
    "pod_failed": Kind("dispatcher", 4, "acceptProofOfDelivery", "Ask the customer and the courier; a better photo releases the vendor's money by itself, or let the proof count."),
    "pod_doubtful": Kind("dispatcher", 16, "acceptProofOfDelivery", "Look at the pictures, then let the proof count or ask for a better photo; no money waits."),
    "picture_missing": Kind("dispatcher", 8, CLOSE, "Have the phone opened with a signal: the pictures are still on it."),
    "photo_unusable": Kind("dispatcher", 8, CLOSE, "Ask for another picture; the payment to the vendor waits for it."),
    # What field workers say beside their jobs
    "field_problem": Kind("dispatcher", 4, CLOSE, "Help whoever reported it, and say what was done."),
    "field_safety": Kind("dispatcher", 1, CLOSE, "Call whoever reported it at once, and say what was done."),
    "capture_amended": Kind("dispatcher", 8, CLOSE, "Compare what was captured with what is said now, and do by hand what of it should be different; what earns nothing after all is decided under its earnings."),
    # Goods that come in, and the floor
    "receiving_difference": Kind("dispatcher", 8, CLOSE, "Compare what came with what was announced; ask the sender for the rest."),
    "unannounced_goods": Kind("dispatcher", 8, CLOSE, "Find out whose goods these are and announce them, so that they can be received."),
    "adjustment_approval": Kind("dispatcher", 8, "decideAdjustment", "Approve or refuse the adjustment, as another person than its proposer."),
    "supplies_needed": Kind("dispatcher", 16, CLOSE, "Bring what is missing before the next shift."),
    "serial_differs": Kind("dispatcher", 8, SETTLE, "Ask the vendor whether he knows the serial, then settle it."),
    # After the door
    "hidden_damage": Kind("support", 8, "reportDetour", "Look at the pictures: settle it (repaired, agreed), or report the goods as replaced."),
    "dead_on_arrival": Kind("support", 4, "reportDetour", "Settle it when the unit is repaired, or report it as replaced."),
    "part_missing": Kind("support", 8, SETTLE, "Send the part, then settle it."),
    "return_requested": Kind("support", 40, SETTLE, "Have the goods fetched or brought; receiving them by scan ends it."),
    "returned_part": Kind("finance", 16, SETTLE, "See that what came back is credited, then settle it; the vendor's money waits by itself."),
    "dispute": Kind("finance", 16, SETTLE, "Agree with the other side, then settle it: the money goes on."),
    "purchase_order_rest": Kind("finance", 16, "releaseRest", "Agree with the vendor about what did not stay, then let the rest go on; what of it was not his is claimed."),
    "vendor_claim_due": Kind("finance", 40, CLOSE, "Claim from the vendor what was paid for goods that did not stay."),
    "refund_due": Kind("finance", 8, "recordRefund", "Refund the amount at the gateway, whose word ends this; or pay it in cash or by bank transfer and record it."),
    # Crews and vans
    "van_down_leftover": Kind("dispatcher", 1, CLOSE, "Give what the other vehicle cannot take to a third shift."),
    "piece_unaccounted": Kind("dispatcher", 4, CLOSE, "Find the piece: a proof of delivery, a scan, or the detour lost."),
    "cash_after_shift": Kind("finance", 8, "countCash", "Count the cash of the shift that came in late."),
    # Installation
    "installation_approval": Kind("dispatcher", 8, "approveInstallation", "Approve the installation, or send somebody again."),
    "extras_to_bill": Kind("finance", 16, "recordExtrasPayment", "Bill the customer for what he has signed at the visit, and record his payment; where something does not agree, ask the technician first."),
    "extras_payment_differs": Kind("finance", 8, CLOSE, "Ask the technician what was paid for the extras, then bill the rest or return what is too much."),
    "visit_needed": Kind("dispatcher", 4, "bookVisit", "Agree on a time with the customer and book the visit."),
    "visit_unplannable": Kind("dispatcher", 4, "cancelVisit", "Cancel the visit and book another time with the customer."),
    # Tickets, by their type
    "ticket_complaint": Kind("support", 8, "resolveTicket", "Answer the customer and resolve the ticket."),
    "ticket_return": Kind("support", 8, "resolveTicket", "Arrange the return and resolve the ticket."),
    "ticket_damage": Kind("support", 4, "resolveTicket", "Look at the photos, arrange repair or replacement."),
    "ticket_missing_part": Kind("support", 8, "resolveTicket", "Send the part and resolve the ticket."),
    "ticket_warranty": Kind("support", 8, "resolveTicket", "Look at the photos and see that somebody goes there; a repair that agrees resolves the ticket by itself."),
    "ticket_question": Kind("support", 16, "resolveTicket", "Answer the question and resolve the ticket."),
    "ticket_refund": Kind("finance", 16, "resolveTicket", "Decide about the refund and resolve the ticket."),
    "ticket_other": Kind("support", 16, "resolveTicket", "Settle it and resolve the ticket."),
}
# fmt: on


def kind(name: str) -> Kind:
    """Find the row of a kind.

    Raises: UnknownKind.
    """
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKind(name) from None


def action(name: str, known: Mapping[str, str | None]) -> tuple[str, str, str]:
    """Tell (operation, method, path) of what resolves a problem, from the ids that are `known`.

    Where an id is missing the problem can only be closed by hand.
    """
    operation = KINDS[name].operation if name in KINDS else CLOSE
    method, path = OPERATIONS[operation]
    ids = {key: value for key, value in known.items() if value}
    try:
        return operation, method, path.format(**ids)
    except KeyError:
        method, path = OPERATIONS[CLOSE]
        return CLOSE, method, path.format(**ids)
