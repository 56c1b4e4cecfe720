"""What phones hand in: kept raw first, then carried out exactly once, each with its receipt.

Owns the tables `capture` and `stray_capture`. `envelope` reads an event, `clocks` judges its time,
`store` keeps a batch in one transaction, `handling` carries events out, one transaction each, in
the order of the device. What an event does is registered by the door it comes through
(`registry`); nothing here knows of orders.
"""

from doorstep.core.captures.moments import Captured, Moment
from doorstep.core.captures.photos import Photo, Sha256, Slot

__all__ = ["Captured", "Moment", "Photo", "Sha256", "Slot"]
