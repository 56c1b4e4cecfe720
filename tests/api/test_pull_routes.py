"""No route of somebody's work is forgotten by the pull."""

from __future__ import annotations

from doorstep.core.auth.guard import handlers_of
from doorstep.doors.field.documents import SOURCES
from tests.factories.company import the_app

BESIDE = frozenset({"readClaimPhotos", "readPaymentLink"})
"""Asked for by themselves: pictures, and the link that stands at its stop as well, between two pulls."""


def test_every_route_that_tells_of_ones_work_is_part_of_a_pull() -> None:
    told = {
        str(handler.operation_id)
        for method, path, handler in handlers_of(the_app())
        if method == "GET"
        and path.startswith("/field/")
        and not path.startswith(("/field/sync/", "/field/push/"))
    }
    assert {str(source.route.operation_id) for source in SOURCES} == told - BESIDE
