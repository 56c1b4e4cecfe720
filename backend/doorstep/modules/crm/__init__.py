"""crm owns customers, addresses, order links, feedback and warranties.

It never moves the journey and never sends anything: flows do.
"""

from doorstep.modules.crm.rules import AddressText

__all__ = ["AddressText"]
