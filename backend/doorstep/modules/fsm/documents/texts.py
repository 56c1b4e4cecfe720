"""The words on a receipt, by language."""

from __future__ import annotations

RECEIPT = {
    "en": {
        "title": "Receipt",
        "customer": "Customer",
        "technician": "Technician",
        "order": "Order",
        "issued": "Date",
        "item": "Item",
        "quantity": "Qty",
        "net": "Net",
        "tax": "Tax",
        "amount": "Amount",
        "total": "Total",
        "paid": "Paid",
        "paid_before": "Paid before",
        "open": "Still open: you will get a bill",
    },
    "hi": {
        "title": "रसीद",
        "customer": "ग्राहक",
        "technician": "तकनीशियन",
        "order": "ऑर्डर",
        "issued": "तारीख़",
        "item": "सामान",
        "quantity": "मात्रा",
        "net": "कर से पहले",
        "tax": "कर",
        "amount": "राशि",
        "total": "कुल",
        "paid": "भुगतान",
        "paid_before": "पहले भुगतान किया गया",
        "open": "अब भी बाक़ी: आपको बिल मिलेगा",
    },
    "ar": {
        "title": "إيصال",
        "customer": "العميل",
        "technician": "الفني",
        "order": "الطلب",
        "issued": "التاريخ",
        "item": "الصنف",
        "quantity": "الكمية",
        "net": "قبل الضريبة",
        "tax": "الضريبة",
        "amount": "المبلغ",
        "total": "الإجمالي",
        "paid": "المدفوع",
        "paid_before": "مدفوع سابقًا",
        "open": "المتبقي: ستصلكم فاتورة به",
    },
}

METHODS = {
    "en": {"cash": "Cash", "credit_card": "Credit card", "debit_card": "Debit card", "upi": "UPI"},
    "hi": {
        "cash": "नक़द",
        "credit_card": "क्रेडिट कार्ड",
        "debit_card": "डेबिट कार्ड",
        "upi": "UPI",
    },
    "ar": {"cash": "نقدًا", "credit_card": "بطاقة ائتمان", "debit_card": "بطاقة خصم", "upi": "UPI"},
}
