"""What the sample company sells, where, and what it pays for it."""

from __future__ import annotations

from typing import Literal

from doorstep.modules.fsm.schemas import Checklist, Item, Topic
from doorstep.modules.oms.schemas import Accessory, ChannelData, ProductData

CITIES = {"AE": "Dubai", "QA": "Doha", "IN": "Mumbai", "KW": "Kuwait City"}
"""Where the places of a channel stand: channel → city."""

CHANNELS = (
    ChannelData(
        code="AE", name="United Arab Emirates", country="AE", currency="AED", zone="Asia/Dubai",
        languages=["en", "ar"], working_week=[1, 2, 3, 4, 5], tax_basis_points=500,
        cod_limit_minor=500_000,
    ),
    ChannelData(
        code="QA", name="Qatar", country="QA", currency="QAR", zone="Asia/Qatar",
        languages=["en", "ar"], working_week=[7, 1, 2, 3, 4], tax_basis_points=0,
        cod_limit_minor=500_000,
    ),
    ChannelData(
        code="IN", name="India", country="IN", currency="INR", zone="Asia/Kolkata",
        languages=["en", "hi"], working_week=[1, 2, 3, 4, 5, 6], tax_basis_points=1800,
        cod_limit_minor=5_000_000,
    ),
    ChannelData(
        code="KW", name="Kuwait", country="KW", currency="KWD", zone="Asia/Kuwait",
        languages=["en", "ar"], working_week=[7, 1, 2, 3, 4], tax_basis_points=0,
        cod_limit_minor=400_000,
    ),
)  # fmt: skip

PRODUCTS = (
    ProductData(
        sku="WM-7KG", name="Front-load washing machine 7 kg", barcode="6291100000017",
        names={"hi": "फ्रंट-लोड वॉशिंग मशीन 7 किग्रा", "ar": "غسالة تحميل أمامي 7 كجم"},
        weight_g=68_000, length_mm=650, width_mm=640, height_mm=890, crew_size=2, serialised=True,
        needs_install=True, install_skill="laundry", warranty_months=24, standing_hours=0,
        packing_instruction="Leave the transport bolts in. Upright only.",
        accessories=[Accessory(code="ACC-WM-HOSE", name="Inlet hose")],
    ),
    ProductData(
        sku="KET-17", name="Electric kettle 1.7 l", barcode="6291100000024",
        names={"hi": "इलेक्ट्रिक केतली 1.7 ली", "ar": "غلاية كهربائية 1.7 لتر"},
        weight_g=1_200, length_mm=250, width_mm=230, height_mm=260, warranty_months=12,
        packing_instruction="Fill the box with paper.",
    ),
    ProductData(
        sku="TV-55", name="Television 55 inch", barcode="6291100000048",
        names={"hi": "टेलीविज़न 55 इंच", "ar": "تلفزيون 55 بوصة"},
        weight_g=17_000, length_mm=1380, width_mm=160, height_mm=840, crew_size=2, fragile=True,
        serialised=True, needs_install=True, install_skill="screens", warranty_months=12,
        packing_instruction="Never lay it flat. Corner guards on all four corners.",
        accessories=[Accessory(code="ACC-TV-REMOTE", name="Remote control")],
    ),
    ProductData(
        sku="AC-15T", name="Split air conditioner 1.5 t", barcode="6291100000055",
        names={"hi": "स्प्लिट एयर कंडीशनर 1.5 टन", "ar": "مكيف سبليت 1.5 طن"},
        weight_g=46_000, length_mm=950, width_mm=420, height_mm=700, pieces=2, crew_size=2,
        serialised=True, needs_install=True, install_skill="cooling", warranty_months=12,
        packing_instruction="Indoor and outdoor unit travel together.",
        accessories=[Accessory(code="ACC-AC-REMOTE", name="Remote control")],
    ),
    ProductData(
        sku="MIX-500", name="Hand mixer 500 W", barcode="6291100000031",
        names={"hi": "हैंड मिक्सर 500 वॉट", "ar": "خلاط يدوي 500 واط"},
        weight_g=1_500, length_mm=220, width_mm=120, height_mm=180, warranty_months=12,
    ),
    ProductData(
        sku="FAN-16", name="Pedestal fan 16 inch", barcode="6291100000067",
        names={"hi": "पेडेस्टल पंखा 16 इंच", "ar": "مروحة عمودية 16 بوصة"},
        weight_g=6_500, length_mm=620, width_mm=420, height_mm=180, warranty_months=12,
    ),
)  # fmt: skip

OWN_GOODS = frozenset({"MIX-500", "FAN-16"})

BINS = {
    "KET-17": "A-03-2", "MIX-500": "A-03-11", "FAN-16": "B-01", "TV-55": "C-04-1", "WM-7KG": "D-02",
    "AC-15T": "D-10",
}  # fmt: skip
"""Where each SKU lies in every warehouse."""

SOLD_OUT = frozenset({"FAN-16"})
"""The shop sells them although there are none: who orders them waits."""

SERIALISED = frozenset(product.sku for product in PRODUCTS if product.serialised)

COSTS = {
    "AE": {"WM-7KG": 950_01, "KET-17": 50_00, "TV-55": 1240_00, "AC-15T": 1490_00},
    "QA": {"WM-7KG": 940_00, "KET-17": 49_50, "TV-55": 1225_00, "AC-15T": 1475_00},
    "IN": {"WM-7KG": 22_490_00, "KET-17": 1_290_00, "TV-55": 33_990_00, "AC-15T": 30_490_00},
    "KW": {"WM-7KG": 78_500, "KET-17": 4_333, "TV-55": 102_900, "AC-15T": 119_750},
}
"""Channel → SKU → what one piece costs us at the channel's vendor, in minor units."""

CHECKLISTS = {
    "WM-7KG": Checklist(
        title="Washing machine", minutes=60,
        items=[
            Item(id="bolts_removed", text="Transport bolts removed", kind="check"),
            Item(id="level", text="Levelled on all four feet", kind="check"),
            Item(id="no_leak", text="No leak during a rinse", kind="check"),
        ],
        photo_slots=["before", "after"],
        demo_topics=[
            Topic(id="programmes", text="Programmes and detergent"),
            Topic(id="filter", text="Cleaning the filter"),
        ],
    ),
    "TV-55": Checklist(
        title="Television", minutes=60,
        items=[
            Item(id="mounted", text="Mounted or standing firmly", kind="check"),
            Item(id="picture", text="Picture and sound tested", kind="check"),
        ],
        photo_slots=["before", "after"],
        demo_topics=[Topic(id="channels", text="Channels and apps")],
    ),
    "AC-15T": Checklist(
        title="Split air conditioner", minutes=120,
        items=[
            Item(id="outdoor_fixed", text="Outdoor unit fixed on brackets", kind="check"),
            Item(id="drain", text="Drain runs free", kind="check"),
            Item(id="outlet_temperature", text="Outlet temperature in °C", kind="number"),
        ],
        photo_slots=["before", "after"],
        demo_topics=[Topic(id="modes", text="Modes and timer"), Topic(id="filter", text="Filter")],
    ),
}  # fmt: skip

EXTRAS: dict[str, tuple[Literal["piece", "service", "metre"], str | None, dict[str, str]]] = {
    "HOSE-2M": (
        "piece",
        "ACC-HOSE-2M",
        {"en": "Water hose 2 m", "ar": "خرطوم ماء 2 م", "hi": "पानी की नली 2 मी"},
    ),
    "BRACKET-TV": (
        "piece",
        "ACC-BRACKET-TV",
        {
            "en": "Wall bracket for a television",
            "ar": "حامل تلفزيون جداري",
            "hi": "टीवी की दीवार ब्रैकेट",
        },
    ),
    "COPPER-M": (
        "metre",
        "ACC-COPPER-M",
        {
            "en": "Copper pipe, per metre",
            "ar": "أنبوب نحاس، لكل متر",
            "hi": "तांबे की पाइप, प्रति मीटर",
        },
    ),
    "DRILL": (
        "service",
        None,
        {"en": "Core drilling through a wall", "ar": "ثقب في الجدار", "hi": "दीवार में छेद"},
    ),
    "OLD-AWAY": (
        "service",
        None,
        {
            "en": "Taking the old appliance away",
            "ar": "أخذ الجهاز القديم",
            "hi": "पुराना उपकरण ले जाना",
        },
    ),
}
"""What technicians sell beside an order: its unit, the part that it uses up, its names."""

EARNING_RATES = {
    "AE": (9_00, 3_00, 5_00, 45_00, 15_00, 22_00),
    "QA": (9_00, 3_00, 5_00, 45_00, 15_00, 23_00),
    "IN": (45_00, 15_00, 25_00, 350_00, 100_00, 120_00),
}
"""Channel → what its work earns, in the order of `earnings.rules.KINDS`. Kuwait has set none."""

EXTRA_PRICES = {
    "AE": {
        "HOSE-2M": 35_00,
        "BRACKET-TV": 120_00,
        "COPPER-M": 55_00,
        "DRILL": 90_00,
        "OLD-AWAY": 50_00,
    },
    "QA": {
        "HOSE-2M": 35_00,
        "BRACKET-TV": 125_00,
        "COPPER-M": 55_00,
        "DRILL": 95_00,
        "OLD-AWAY": 50_00,
    },
    "IN": {
        "HOSE-2M": 350_00,
        "BRACKET-TV": 1_200_00,
        "COPPER-M": 750_00,
        "DRILL": 600_00,
        "OLD-AWAY": 300_00,
    },
}
"""Channel → code → what one unit costs the customer before tax, in minor units."""

PARTS = (
    ProductData(
        sku="ACC-HOSE-2M", name="Water hose 2 m", barcode="6291100000109",
        names={"hi": "पानी की नली 2 मी", "ar": "خرطوم ماء 2 م"},
        weight_g=400, length_mm=300, width_mm=300, height_mm=60,
    ),
    ProductData(
        sku="ACC-BRACKET-TV", name="Wall bracket for a television", barcode="6291100000116",
        names={"hi": "टीवी की दीवार ब्रैकेट", "ar": "حامل تلفزيون جداري"},
        weight_g=3_500, length_mm=700, width_mm=450, height_mm=80,
    ),
    ProductData(
        sku="ACC-COPPER-M", name="Copper pipe, per metre", barcode="6291100000123",
        names={"hi": "तांबे की पाइप, प्रति मीटर", "ar": "أنبوب نحاس، لكل متر"},
        weight_g=350, length_mm=300, width_mm=300, height_mm=40,
    ),
)  # fmt: skip
"""What technicians carry on their vans; the shop does not sell it."""
