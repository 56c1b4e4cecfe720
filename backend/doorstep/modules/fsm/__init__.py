"""fsm owns technicians, checklists, visits and the reports of what was installed.

It never moves the journey, registers no warranty and releases no money: flows do.
"""
