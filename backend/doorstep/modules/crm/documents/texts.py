"""The words on a warranty certificate, by language."""

from __future__ import annotations

WARRANTY = {
    "en": {
        "title": "Warranty certificate",
        "intro": "This certifies that the product named below is registered and under warranty.",
        "customer": "Customer",
        "product": "Product",
        "serial": "Serial number",
        "order": "Order",
        "purchased": "Purchased on",
        "installed": "Installed on",
        "from": "Valid from",
        "until": "Valid until",
        "scan": "Scan to check this certificate",
        "keep": "Keep this certificate with the product. The warranty follows the serial number.",
    },
    "hi": {
        "title": "वारंटी प्रमाणपत्र",
        "intro": "प्रमाणित किया जाता है कि नीचे दिया गया उत्पाद पंजीकृत है और वारंटी में है।",
        "customer": "ग्राहक",
        "product": "उत्पाद",
        "serial": "क्रम संख्या",
        "order": "ऑर्डर",
        "purchased": "ख़रीद की तारीख़",
        "installed": "स्थापना की तारीख़",
        "from": "वारंटी आरंभ",
        "until": "वारंटी समाप्ति",
        "scan": "प्रमाणपत्र जाँचने के लिए स्कैन करें",
        "keep": "यह प्रमाणपत्र उत्पाद के साथ रखें। वारंटी क्रम संख्या से जुड़ी है।",
    },
    "ar": {
        "title": "شهادة الضمان",
        "intro": "نشهد بأن المنتج المذكور أدناه مسجَّل ومشمول بالضمان.",
        "customer": "العميل",
        "product": "المنتج",
        "serial": "الرقم التسلسلي",
        "order": "الطلب",
        "purchased": "تاريخ الشراء",
        "installed": "تاريخ التركيب",
        "from": "بداية الضمان",
        "until": "نهاية الضمان",
        "scan": "امسح الرمز للتحقق من هذه الشهادة",
        "keep": "احتفظ بهذه الشهادة مع المنتج. الضمان مرتبط بالرقم التسلسلي.",
    },
}
