"""THE SECOND TABLE: what each event sets off, in the order of running.

A reaction touches only our database, inside the transaction of the event. What leaves the process
(a message, a payout, a call to the shop) is an outbox row that a job does afterwards. "1001" to
"1018" are stages passed, in whatever way; then come the detours by their kind, and facts. After a
detour's own row runs `detour_opened`; when it is over `<kind>_settled`, or `<kind>_ended` with the end
of its fulfilment, then `detour_settled`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doorstep.flows.address_tasks import ask_customer, ask_desk, stop_asking_for_address
from doorstep.flows.allocate import turn_holds_into_allocations
from doorstep.flows.approvals import drop_questions
from doorstep.flows.care import ask_feedback, register_warranty
from doorstep.flows.deliver import issue_handover_code
from doorstep.flows.detours import ask_for_help, end_task
from doorstep.flows.dispatch import book_shipment, make_label_documents
from doorstep.flows.earnings import earn
from doorstep.flows.expected_dates import (
    ask_for_another_date,
    ask_vendor,
    go_on_waiting,
    note_ready_date,
    put_off_task,
    stop_asking_vendor,
)
from doorstep.flows.failed_delivery import call_back, end_attempt, send_back_after_last_attempt
from doorstep.flows.failed_visit import book_next_visit, book_visit_again
from doorstep.flows.install import pass_schedule_if_booked
from doorstep.flows.notify import tell_customer, tell_date, tell_detour
from doorstep.flows.phones import tell_drivers_of_money
from doorstep.flows.procure import make_purchase_order
from doorstep.flows.proof_pictures import check_bytes
from doorstep.flows.returns import goods_came_back
from doorstep.flows.settle import review, verify_payment
from doorstep.flows.shop_orders import tell_shop_shipped
from doorstep.flows.source_again import replace_goods
from doorstep.flows.supervise import open_review
from doorstep.flows.undo import credit_goods, expect_back, give_back, stop_expecting, write_off
from doorstep.flows.vendor_rest import ask_about_rest
from doorstep.flows.warehouse import (
    hand_to_carrier,
    hand_to_customer,
    make_pick_list,
    note_step,
    pick_again,
)
from doorstep.journey import Reaction

REACTIONS: Mapping[str, Sequence[Reaction]] = {
    # --- Stages -----------------------------------------------------------------------------------
    "1001": (tell_customer,),
    "1002": (tell_customer, turn_holds_into_allocations, review),
    "1003": (tell_customer, ask_customer, make_purchase_order),
    "1004": (make_pick_list, review),
    "1005": (tell_customer, note_step),
    "1006": (tell_customer, note_step, ask_desk),
    "1007": (note_step, book_shipment),
    "1008": (make_label_documents,),
    "1009": (tell_customer, hand_to_carrier, tell_shop_shipped, stop_asking_for_address, review),
    "1010": (tell_customer,),
    "1012": (tell_customer, issue_handover_code),
    "1013": (tell_customer, hand_to_customer, check_bytes, pass_schedule_if_booked, review),
    "1014": (tell_customer,),
    "1015": (tell_customer, register_warranty, ask_feedback, review),
    "1018": (tell_customer, review),
    # --- Detours: what each undoes and sets off ---------------------------------------------------
    "vendor_declined": (give_back, replace_goods),
    "repick": (pick_again,),
    "delivery_failed": (end_attempt, send_back_after_last_attempt),
    "return_to_origin": (call_back, expect_back),
    # With an end the same goods are announced anew, or have come in.
    "return_to_origin_settled": (stop_expecting,),
    "return_to_origin_ended": (stop_expecting,),
    "return_requested_settled": (stop_expecting,),
    "return_requested_ended": (stop_expecting,),
    "wrong_goods": (give_back, expect_back, replace_goods),
    "installation_failed": (book_next_visit,),
    "dead_on_arrival_settled": (book_visit_again,),
    "lost": (give_back, write_off, replace_goods),
    "replaced": (give_back, expect_back, replace_goods),
    "cancelled": (give_back, credit_goods, tell_drivers_of_money),
    "cancelled_after_dispatch": (give_back, expect_back, credit_goods, tell_drivers_of_money),
    "returned": (give_back, credit_goods, tell_drivers_of_money),
    "detour_opened": (tell_detour, ask_for_help, stop_asking_for_address, review, ask_about_rest),
    "detour_overtaken": (send_back_after_last_attempt,),
    "detour_settled": (end_task, review),
    # --- Their dates: set, accepted by the customer, kept by a rest, over without the goods ----------
    "short_stock_dated": (tell_date, put_off_task),
    "short_stock_accepted": (put_off_task,),
    "short_stock_date_kept": (go_on_waiting,),
    "short_stock_date_passed": (tell_date, ask_for_another_date),
    "vendor_ready_later_dated": (tell_date, note_ready_date),
    "vendor_ready_later_date_passed": (ask_vendor,),
    "vendor_ready_later_settled": (stop_asking_vendor,),
    "vendor_ready_later_ended": (stop_asking_vendor,),
    # --- Facts ------------------------------------------------------------------------------------
    "payment_captured": (verify_payment, review, tell_drivers_of_money),
    "payment_refunded": (verify_payment, review, tell_drivers_of_money),
    "approval_waiting_settled": (drop_questions,),
    "approval_waiting_ended": (drop_questions,),
    "reservation_approved": (turn_holds_into_allocations,),
    "cash_counted": (review,),
    "bytes_verified": (check_bytes, review),
    "pod_checked": (review, earn),
    "pod_accepted": (review, earn),
    "pod_code_told": (review, earn),
    "visit_booked": (pass_schedule_if_booked,),
    "install_approved": (review,),
    "goods_received": (goods_came_back, review, ask_about_rest),
    "review_opened": (open_review,),
}
