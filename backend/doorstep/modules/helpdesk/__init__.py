"""helpdesk owns what waits for a person: problems and tickets, their owners and deadlines, the
business calendars these are counted in, the rules by which they go to the next person, and what
field workers say beside the flows of their jobs.

It never solves one: the person does, in the module that the problem is about.
"""
