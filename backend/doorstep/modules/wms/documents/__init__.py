"""The warehouse's papers: label, packing slip, return form and pick list.

Each is a typst template, a struct of plain values and a render function; none reads the database.
"""

from doorstep.modules.wms.documents.label import LabelData, LabelPiece, render_label
from doorstep.modules.wms.documents.packing_slip import (
    PackingSlipData,
    PackingSlipLine,
    render_packing_slip,
)
from doorstep.modules.wms.documents.parts import Place
from doorstep.modules.wms.documents.pick_list import PickLine, PickListData, render_pick_list
from doorstep.modules.wms.documents.return_form import (
    ReturnFormData,
    ReturnFormLine,
    render_return_form,
)

__all__ = [
    "LabelData",
    "LabelPiece",
    "PackingSlipData",
    "PackingSlipLine",
    "PickLine",
    "PickListData",
    "Place",
    "ReturnFormData",
    "ReturnFormLine",
    "render_label",
    "render_packing_slip",
    "render_pick_list",
    "render_return_form",
]
