"""Checklists on a real database: every change is a new version, and a general one fills the gaps."""

from __future__ import annotations

import pytest

from doorstep.core import db as core_db
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import ChecklistNotMade
from tests.factories.road import Road, a_checklist

pytestmark = pytest.mark.usefixtures("db")


async def test_a_changed_checklist_is_a_new_version_and_the_old_one_stays(road: Road) -> None:
    product = road.world.products["WM-7KG"]
    first = await fsm.save_checklist(product, a_checklist())
    assert await fsm.save_checklist(product, a_checklist()) == first
    second = await fsm.save_checklist(product, a_checklist(minutes=90))
    assert (await fsm.current_checklists([product]))[product][0] == second
    assert set(await fsm.checklists_by_id([first, second])) == {first, second}
    with pytest.raises(ChecklistNotMade):
        await fsm.save_checklist(product, a_checklist(photo_slots=["after", "after"]))
    with pytest.raises(Exception, match="append-only"):
        await core_db.execute("DELETE FROM checklist")


async def test_a_general_checklist_holds_for_goods_without_one(road: Road) -> None:
    general = await fsm.save_checklist(None, a_checklist(title="Anything"))
    products = road.world.products
    own = await fsm.save_checklist(products["WM-7KG"], a_checklist())
    current = await fsm.current_checklists(list(products.values()))
    assert current[products["WM-7KG"]][0] == own
    assert current[products["KET-17"]][0] == general
