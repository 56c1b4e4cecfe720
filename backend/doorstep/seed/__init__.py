"""Sample data of the demo and the simulator: four markets with goods, places and people.

Running it again changes nothing but tops up the shelves. Production never runs it.
"""

from doorstep.seed.catalogue import SERIALISED
from doorstep.seed.filling import seed
from doorstep.seed.people import SampleUser, password_of, sample_users

__all__ = ["SERIALISED", "SampleUser", "password_of", "sample_users", "seed"]
