"""fsm owns technicians, checklists, manuals, visits, the reports of what was installed,
prices, agreements and receipts of extras, and the parts on a technician's van.

It never moves the journey, registers no warranty and releases no money: flows do.
"""
