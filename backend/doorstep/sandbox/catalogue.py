"""What the pretend shop sells, where, and to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Article:
    """Something in the shop; prices are before tax, in the currency of each channel."""

    product_id: int
    sku: str
    name: str
    weight_kg: Decimal
    prices: Mapping[str, Decimal]


def _prices(aed: str, qar: str, inr: str, kwd: str) -> dict[str, Decimal]:
    return {"AE": Decimal(aed), "QA": Decimal(qar), "IN": Decimal(inr), "KW": Decimal(kwd)}


CATALOGUE: dict[str, Article] = {
    article.sku: article
    for article in (
        Article(
            101,
            "WM-7KG",
            "Front-load washing machine 7 kg",
            Decimal(68),
            _prices("1190.00", "1180.00", "28990.00", "98.500"),
        ),
        Article(
            102,
            "KET-17",
            "Electric kettle 1.7 l",
            Decimal("1.2"),
            _prices("79.00", "78.00", "1799.00", "6.250"),
        ),
        Article(
            103,
            "TV-55",
            "Television 55 inch",
            Decimal(17),
            _prices("1590.00", "1570.00", "41990.00", "129.900"),
        ),
        Article(
            104,
            "AC-15T",
            "Split air conditioner 1.5 t",
            Decimal(46),
            _prices("1890.00", "1870.00", "38990.00", "149.750"),
        ),
        Article(
            105,
            "MIX-500",
            "Hand mixer 500 W",
            Decimal("1.5"),
            _prices("129.00", "128.00", "2499.00", "9.900"),
        ),
        Article(
            106,
            "FAN-16",
            "Pedestal fan 16 inch",
            Decimal("6.5"),
            _prices("189.00", "187.00", "3299.00", "14.500"),
        ),
    )
}

DEMO_LINES = (("WM-7KG", 1), ("KET-17", 1))
"""The demo order: one thing that is installed and one that is not."""


class Street(NamedTuple):
    """A door where the crew can ring."""

    street: str
    building: str
    floor: str
    flat: str
    city: str
    region: str
    postcode: str
    lat: float
    lng: float


@dataclass(frozen=True, slots=True)
class Market:
    """A channel as the shop knows it."""

    store_id: int
    currency: str
    decimals: int
    tax_percent: Decimal
    shipping: Decimal
    """Before tax."""
    country: str
    mobile_prefix: str
    mobile_digits: int
    people: tuple[tuple[str, str], ...]
    streets: tuple[Street, ...]


MARKETS: dict[str, Market] = {
    "AE": Market(
        1,
        "AED",
        2,
        Decimal(5),
        Decimal("20.00"),
        "AE",
        "+97150",
        7,
        (("Layla", "Haddad"), ("Omar", "Al Mansoori"), ("Priya", "Nair"), ("James", "Carter")),
        (
            Street("Al Wasl Road 214", "Al Safa Tower", "12", "1204", "Dubai", "Dubai", "00000",
                   25.1897, 55.2445),
            Street("Hamdan Street 88", "Al Noor Building", "3", "305", "Abu Dhabi", "Abu Dhabi",
                   "00000", 24.4869, 54.3634),
        ),
    ),
    "QA": Market(
        2,
        "QAR",
        2,
        Decimal(0),
        Decimal("20.00"),
        "QA",
        "+97433",
        6,
        (("Fatima", "Al Thani"), ("Yousef", "Khalil"), ("Anita", "George")),
        (
            Street("Al Corniche Street 45", "Pearl Residence", "7", "702", "Doha", "Doha", "00000",
                   25.2918, 51.5310),
        ),
    ),
    "IN": Market(
        3,
        "INR",
        2,
        Decimal(18),
        Decimal("150.00"),
        "IN",
        "+9198",
        8,
        (("Asha", "Patel"), ("Rahul", "Sharma"), ("Meera", "Iyer"), ("Imran", "Khan")),
        (
            Street("MG Road 17", "Lotus Apartments", "4", "4B", "Bengaluru", "Karnataka", "560001",
                   12.9757, 77.6050),
            Street("Linking Road 230", "Sea Breeze", "9", "901", "Mumbai", "Maharashtra", "400050",
                   19.0606, 72.8365),
        ),
    ),
    "KW": Market(
        4,
        "KWD",
        3,
        Decimal(0),
        Decimal("1.500"),
        "KW",
        "+96550",
        6,
        (("Noura", "Al Sabah"), ("Bader", "Al Mutairi")),
        (
            Street("Gulf Street 12", "Salmiya Towers", "5", "52", "Salmiya", "Hawalli", "22001",
                   29.3339, 48.0761),
        ),
    ),
}  # fmt: skip
