"""The use-cases of the warehouse.

`stock` counts goods, `custody` knows who has those that left the shelf, `floor` picks, checks and
packs. `receiving` awaits goods, `receipts` books what was scanned and `put_away` moves it.
`adjustments`, with `shelf_changes`, and `counts` put the books right. `shifts` asks what the next
shift needs.
"""
