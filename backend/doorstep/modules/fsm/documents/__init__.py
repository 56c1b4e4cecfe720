"""The paper of a visit: the receipt of what was paid for extras."""

from doorstep.modules.fsm.documents.receipt import (
    ReceiptData,
    ReceiptLine,
    ReceiptTender,
    render_receipt,
)

__all__ = ["ReceiptData", "ReceiptLine", "ReceiptTender", "render_receipt"]
