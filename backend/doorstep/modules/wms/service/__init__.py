"""The use-cases of the warehouse.

`stock` counts goods, `custody` knows who has those that left the shelf, `floor` picks, checks and
packs. `receiving` awaits goods and `receipts` books them; `adjustments` and `counts` put the books
right; `shifts` asks what the next shift needs.
"""
