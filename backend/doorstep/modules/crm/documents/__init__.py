"""The papers a customer keeps: the warranty certificate."""

from doorstep.modules.crm.documents.warranty import WarrantyData, render_warranty

__all__ = ["WarrantyData", "render_warranty"]
