"""The stops of the walk, department by department: each asks every route of its own."""

from __future__ import annotations

from datetime import timedelta

import httpx

from doorstep.core.clock import now
from doorstep.core.db import rows, value
from doorstep.core.ids import uuid7
from tests.contract.walk import Walk
from tests.factories.backorders import a_date, date_path, in_days, parcel_number, short_order
from tests.factories.captures import capture
from tests.factories.company import picture, upload
from tests.factories.floor import BARCODES, adjustment, announced, beep, ok, purchase
from tests.factories.journeys import Order, place, standing
from tests.factories.snapshots import everything


async def door_payment(walk: Walk) -> None:
    """Payment at the door: approval and the count of the cash."""
    company = walk.company
    order = await place(company, ("MIX-500", 1), method="cod")
    reason = {"event_id": uuid7(), "reason": "known to us"}
    await walk.ask("listApprovals", "finance")
    waiting = await value("SELECT id FROM approval WHERE verdict = 'waiting'")
    await walk.ask("readApproval", "finance", approval_id=waiting)
    await walk.ask("approvePayment", "finance", reason, order_id=order.order_id)
    await order.go_on(1012)
    cash = {"tenders": [{"method": "cash", "amount_minor": order.total_minor}]}
    await order.take_well(await order.pod(**cash))
    count = {"event_id": uuid7(), "amount_minor": order.total_minor, "currency": "AED"}
    run_id = await value("SELECT id FROM delivery_run")
    by_run = {**count, "run_id": run_id, "event_id": uuid7()}
    method_of_strangers = {**count, "order_ids": [order.order_id]}
    await walk.ask("countCash", "finance", method_of_strangers)
    before = await everything()
    for user in walk.others:
        if user.role == "finance":
            answer = await walk.send("POST", "/console/finance/cash-counts", by_run, user)
            assert answer.status_code == 404, "a run of another channel"
    assert await everything() == before


async def approvals(walk: Walk) -> None:
    """What the policy let wait is approved or rejected; then another policy is set."""
    company = walk.company
    many = await place(company, ("MIX-500", 11))
    at_door = await place(company, ("MIX-500", 1), method="cod")
    for order, who, operation in (
        (many, "dispatcher", "rejectOrder"),
        (at_door, "finance", "approveOrder"),
    ):
        waiting = await value(
            "SELECT id FROM approval WHERE order_id = $1 AND verdict = 'waiting'", order.order_id
        )
        word = {"event_id": uuid7(), "reason": "looked at"}
        await walk.ask(operation, who, word, approval_id=waiting)
    [held] = (await walk.ask("listApprovalPolicies", "admin")).json()
    policy = {
        "event_id": uuid7(), "after_version": held["version"], "reason": "a quiet season",
        "rules": held["rules"],
    }  # fmt: skip
    await walk.ask("setApprovalPolicy", "admin", policy, channel_id=company.world.channel_id)


async def vendors(walk: Walk, order: Order) -> None:
    """The vendor's portal; a second order is declined."""
    po_id = await order.po_id()
    await walk.ask("listVendorPurchaseOrders", "vendor")
    await walk.ask("readVendorPurchaseOrder", "vendor", po_id=po_id)
    await walk.ask("listVendorTranches", "vendor", po_id=po_id)
    await walk.step("acceptPurchaseOrder", await order.accept(), po_id=po_id)
    later = {"event_id": uuid7(), "ready_on": in_days(3)}
    await walk.ask("moveReadyDate", "vendor", later, po_id=po_id)
    own = {"fulfilment_id": order.parcel, "kind": "vendor_ready_later"}
    await walk.ask("setExpectedDate", "dispatcher", a_date(4), **own)
    declined = await standing(walk.company, 1003)
    no = {"event_id": uuid7(), "reason": "none left"}
    await walk.ask("declinePurchaseOrder", "vendor", no, po_id=await declined.po_id())


async def floor(walk: Walk, order: Order) -> None:
    """Pick, check, pack, papers."""
    await walk.ask("listPickLists", "warehouse")
    own = {"fulfilment_id": order.parcel}
    await walk.step("startPicking", await order.pick(), **own)
    await walk.step("checkByScan", await order.check(), **own)
    await walk.step("packParcel", await order.pack(), **own)
    await walk.ask("listWorkDone", "warehouse")
    papers = (await walk.ask("listDocuments", "support", **own)).json()
    await walk.ask("openDocument", "warehouse", document_id=papers[0]["id"])
    await walk.ask("listWaitingParcels", "warehouse")
    await walk.step("recordAwb", await order.record_awb("CP-1"))


async def arrivals(walk: Walk) -> None:
    """Goods are announced, scanned in and booked; one arrival is closed short, one cancelled."""
    company = walk.company
    short = purchase(company, ("KET-17", 2))
    made = (await walk.ask("announceArrival", "dispatcher", short)).json()
    await walk.ask("listArrivals", "warehouse")
    await walk.ask("listExpectedArrivals", "dispatcher")
    own = {"arrival_id": made["id"]}
    scans = {"scans": [beep(BARCODES["KET-17"])]}
    await walk.ask("addReceiptScans", "warehouse", scans, **own)
    await walk.ask("finishReceipt", "warehouse", capture(), **own)
    await walk.ask("readArrival", "dispatcher", **own)
    word = {"event_id": uuid7(), "words": "No more will come."}
    await walk.ask("closeArrival", "dispatcher", word, **own)
    other = await announced(company, ("KET-17", 2))
    await walk.ask("cancelArrival", "dispatcher", {"words": "A mistake."}, arrival_id=other)
    here = company.world.warehouse_id
    await walk.ask("readRestockProposals", "dispatcher", query=f"?location_id={here}")
    restock = {"event_id": uuid7(), "location_id": here, "sku": "KET-17", "ref": "PO-R"}
    answer = await walk.ask("orderRestock", "dispatcher", restock)
    assert answer.json()["type"] == "/problems/nothing-to-restock"


async def shelves(walk: Walk) -> None:
    """Adjustments, counts and the checklist of a location."""
    company = walk.company
    here = company.world.warehouse_id
    wrong = {"location_id": here, "adjustment": adjustment("MIX-500", -9)}
    made = (await walk.ask("proposeAdjustment", "dispatcher", wrong)).json()
    await walk.ask("listAdjustments", "admin")
    policy = {"max_units": 2, "max_value_minor": 100}
    await walk.ask("saveAdjustmentPolicy", "admin", policy, channel_id=company.world.channel_id)
    no = {"approve": False, "words": "They are there."}
    await walk.ask("decideAdjustment", "admin", no, adjustment_id=made["id"])
    asked = {"event_id": uuid7(), "location_id": here, "skus": ["MIX-500"], "why": "To be sure."}
    count = (await walk.ask("openCount", "dispatcher", asked)).json()
    [seen] = (await walk.ask("listOpenCounts", "warehouse")).json()
    own = {"count_id": count["id"]}
    entry = capture(line_id=seen["lines"][0]["id"], quantity=18)
    await walk.ask("addCountEntries", "warehouse", {"entries": [entry]}, **own)
    await walk.ask("finishCount", "warehouse", capture(), **own)
    await walk.ask("listCounts", "dispatcher")
    items = {"role": "warehouse", "items": []}
    await walk.ask("saveShiftChecklist", "dispatcher", items, location_id=here)
    bins = {"bins": [{"sku": "MIX-500", "bin": "A-1"}]}
    await walk.ask("saveBins", "dispatcher", bins, location_id=here)
    await walk.ask("listBins", "dispatcher", location_id=here)


async def visits(walk: Walk, order: Order) -> None:
    """Free time, booking, the report and its approval."""
    window = {"from": now(), "to": now() + timedelta(days=3)}
    query = str(httpx.QueryParams({name: at.isoformat() for name, at in window.items()}))
    own = {"fulfilment_id": order.parcel}
    await walk.ask("listFreeSlots", "dispatcher", query=f"?{query}", **own)
    booked = (await walk.ask("bookVisit", "dispatcher", own)).json()
    await walk.ask("cancelVisit", "dispatcher", {}, visit_id=booked["visit_id"])
    booked = (await walk.ask("bookVisit", "dispatcher", own)).json()
    visit = {"visit_id": booked["visit_id"]}
    await walk.ask("listOwnVisits", "technician")
    started = {"event_id": uuid7(), "captured_at": now()}
    await walk.ask("startVisit", "technician", started, **visit)
    done = {"event_id": uuid7(), "captured_at": now(), "units": []}
    assert (await walk.ask("completeVisit", "technician", done, **visit)).status_code == 202
    reason = {"reason": "seen on a video call"}
    await walk.ask("approveInstallation", "dispatcher", reason, **visit)


async def money(walk: Walk, order: Order) -> None:
    """The finance desk."""
    po_id = await order.po_id()
    query = f"?order_id={order.order_id}"
    await walk.ask("listPurchaseOrders", "finance", query=query)
    await walk.ask("listTranches", "finance", po_id=po_id)
    await walk.ask("readLedger", "finance", query=query)
    [tranche] = await rows("SELECT id FROM tranche WHERE po_id = $1 AND number = 2", po_id)
    await walk.ask("payTrancheAgain", "finance", tranche_id=tranche["id"])


async def troubles(walk: Walk) -> None:
    """What goes wrong with an order, from the wrong pick to the return; another is cancelled."""
    company = walk.company
    order = await standing(company, 1006)
    own = {"fulfilment_id": order.parcel}
    await walk.ask("pickAgain", "warehouse", capture(words="Wrong colour."), **own)
    await order.go_on(1012)
    stop = await value("SELECT id FROM delivery_stop WHERE fulfilment_id = $1", order.parcel)
    await walk.ask("askForPaymentLink", "delivery", capture(), stop_id=stop)
    await walk.ask("readPaymentLink", "delivery", stop_id=stop)
    await walk.ask("addFailedAttempt", "delivery", capture(reason="not_home"), stop_id=stop)
    await order.take_well(await order.accept_run())
    await order.go_on(1014)
    visit = await value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    found = {"kind": "part_missing", "words": "Canary words"}
    await walk.ask("addVisitFinding", "technician", capture(**found), visit_id=visit)
    await walk.ask("addFittedPart", "technician", capture(), visit_id=visit)
    await extras(walk, visit)
    await walk.ask("failVisit", "technician", capture(reason="unsafe"), visit_id=visit)
    dispute = {"event_id": uuid7(), "kind": "dispute"}
    await walk.ask("reportDetour", "finance", dispute, **own)
    await walk.ask("listPictures", "dispatcher", **own)
    over = {"event_id": uuid7()}
    await walk.ask("settleDetour", "finance", over, kind="dispute", **own)
    back = {"event_id": uuid7(), "reason": "changed_mind", "how": "home"}
    await walk.ask("requestReturn", "support", back, **own)
    sold = await standing(company, 1012)
    await sold.take_well(await sold.pod(serials=["SOMETHING-ELSE"]))
    word = {"event_id": uuid7()}
    await walk.ask("confirmSerials", "vendor", word, po_id=await sold.po_id())
    wrong = {"event_id": uuid7(), "words": "Canary words"}
    await walk.ask("disputePurchaseOrder", "vendor", wrong, po_id=await sold.po_id())
    parted = await standing(company, 1012, ("KET-17", 2))
    line = await value("SELECT id FROM fulfilment_line WHERE fulfilment_id = $1", parted.parcel)
    back = {"fulfilment_line_id": line, "quantity": 1, "reason": "damaged"}
    await parted.take_well(await parted.pod(kept_back=[back]))
    agreed = {"event_id": uuid7(), "reason": "agreed"}
    await walk.ask("releaseRest", "finance", agreed, po_id=await parted.po_id())
    other = await standing(company, 1003)
    cancel = {"event_id": uuid7(), "reason": "customer"}
    await walk.ask("cancelOrder", "support", cancel, order_id=other.order_id)
    refund = {
        "event_id": uuid7(), "amount_minor": 1_00, "currency": "AED", "method": "cash",
        "reference": "Receipt 1",
    }  # fmt: skip
    await walk.ask("recordRefund", "finance", refund, order_id=other.order_id)


async def customer(walk: Walk, order: Order) -> None:
    """The customer's link opens one order; another one's link opens nothing of it."""
    company = walk.company
    other = await place(company, ("MIX-500", 1))
    own = company.told(r"/t/([\w-]{20,})", order.number)
    foreign = company.told(r"/t/([\w-]{20,})", other.number)
    number = await value("SELECT number FROM warranty WHERE fulfilment_id = $1", order.parcel)
    paper = f"/certificate/{number}"
    assert (await company.http.get(f"/track/{foreign}{paper}")).status_code == 404
    another = own[:-1] + ("y" if own.endswith("x") else "x")
    assert (await company.http.get(f"/track/{another}")).status_code == 404
    seen = (await company.http.get(f"/track/{foreign}")).text
    assert order.number not in seen and str(order.parcel) not in seen
    for canary in ("Aisha", "501234567", "Marina Walk"):
        assert canary not in (await company.http.get(f"/track/{own}")).text
    rating = {"event_id": uuid7(), "parcel": 2, "delivery_rating": 5}
    assert (await company.send("", f"/track/{foreign}/feedback", rating)).status_code == 404
    assert (await company.http.get(f"/track/{own}{paper}")).status_code == 200
    assert (await company.http.get(f"/track/{own}")).status_code == 200
    rating = {"event_id": uuid7(), "delivery_rating": 5, "installation_rating": 5}
    assert (await company.send("", f"/track/{own}/feedback", rating)).status_code == 200
    await _short_goods(walk, foreign)
    walk.walked |= {"trackOrder", "giveFeedback", "readCertificate"}


async def _short_goods(walk: Walk, foreign: str) -> None:
    """Another one's link neither accepts a date nor cancels; the own one does both."""
    company = walk.company
    short = await short_order(company)
    await ok(company, "dispatcher", date_path(short.parcel), a_date(5))
    own = company.told(r"/t/([\w-]{20,})", short.number)
    one = {"parcel": await parcel_number(short) + 1}
    for operation, path, body in (
        ("acceptDate", "date", {"expected_on": in_days(5)}),
        ("cancelShortGoods", "cancel", {}),
    ):
        before = await everything()
        for token, parcel in ((foreign, one), (own, one), (own[:-1] + "x", {"parcel": 1})):
            asked = {"event_id": uuid7()} | body | parcel
            answer = await company.send("", f"/track/{token}/{path}", asked)
            assert answer.status_code == 404, (operation, answer.text)
        assert await everything() == before, f"{operation}: a stranger changed something"
        asked = {"event_id": uuid7(), "parcel": await parcel_number(short)} | body
        answer = await company.send("", f"/track/{own}/{path}", asked)
        assert answer.status_code == 200, (operation, answer.text)
        walk.walked.add(operation)
    await company.work()


async def desk(walk: Walk, order: Order) -> None:
    """Tickets, then closing and the archive."""
    photo, support = picture(), walk.company.users["support"]
    await upload(photo)
    await walk.company.own_upload(support.id, photo)
    ticket_id = uuid7()
    asked = {
        "event_id": ticket_id, "type": "complaint", "title": "It hums", "words": "Canary words",
        "order_id": order.order_id,
    }  # fmt: skip
    await walk.ask("openTicket", "support", asked)
    await walk.ask("listTickets", "support", query=f"?order_id={order.order_id}")
    own = {"ticket_id": ticket_id}
    await walk.ask("readTicket", "support", **own)
    word = {"author": "internal", "words": "Canary note", "event_id": uuid7()}
    await walk.ask("addTicketMessage", "support", word, **own)
    await walk.ask("addTicketPhotos", "support", {"photos": [photo]}, **own)
    await walk.ask("assignTicket", "support", {}, **own)
    for operation in ("resolveTicket", "reopenTicket"):
        await walk.ask(operation, "support", {"words": "Canary words"}, **own)
    named = {"order_id": order.order_id}
    await walk.ask("readClosing", "support", **named)
    await walk.ask("closeOrder", "support", {"reason": "agreed with the customer"}, **named)
    wish = {"way": "mail", "gives_up_warranty": False}
    await walk.ask("recordErasureRequest", "support", wish, **named)
    await walk.ask("withdrawErasureRequest", "support", **named)
    await walk.ask("recordErasureRequest", "support", wish, **named)
    await walk.ask("listErasureRequests", "support")
    await walk.ask("savePrivacyRule", "admin", {"retention_days": 3650}, channel="AE")
    await walk.company.work()
    await walk.ask("listArchivedOrders", "support", query=f"?number={order.number}")
    await walk.ask("openArchivedFile", "support", file="index.json", **named)


async def extras(walk: Walk, visit: object) -> None:
    """What is sold beside the order: its price, the part on the van, the customer's word."""
    company = walk.company
    price = {"channel_id": company.world.channel_id, "code": "CANARY", "unit": "piece"}
    price |= {"names": dict.fromkeys(("en", "ar", "hi"), "Canary"), "price_minor": 10_00}
    made = await walk.ask("setPrice", "finance", price)
    await walk.ask("listPrices", "finance")
    await walk.ask("listExtraPrices", "technician")
    technician = company.users["technician"].id
    load = {"event_id": uuid7(), "sku": "KET-17", "quantity": 2}
    await walk.ask("movePartsOfVan", "dispatcher", load, technician_id=technician)
    await walk.ask("listPartsOnVans", "dispatcher")
    await walk.ask("listOwnParts", "technician")
    manual = {"sku": "WM-7KG", "texts": {"en": "Canary: take the bolts out."}}
    await ok(company, "admin", "/console/manuals", manual)
    await walk.ask("listOwnManuals", "technician")
    sold = {"lines": [{"price_id": made.json()["id"], "quantity": 1}], "shown_minor": 10_50}
    await walk.ask("addVisitExtras", "technician", capture(**sold), visit_id=visit)
    await walk.ask("readVisitExtras", "support", visit_id=visit)
    bill = {"event_id": uuid7(), "amount_minor": 50, "currency": "AED"}
    bill |= {"method": "desk_cash", "reference": "Canary 1"}
    await walk.ask("recordExtrasPayment", "finance", bill, visit_id=visit)
    paid = {"shown_minor": 10_00, "tenders": [{"method": "cash", "amount_minor": 10_00}]}
    await walk.ask("payVisitExtras", "technician", capture(**paid), visit_id=visit)
    [receipt, _] = (await walk.ask("listReceipts", "finance")).json()
    await walk.ask("openReceipt", "support", receipt_id=receipt["id"])
