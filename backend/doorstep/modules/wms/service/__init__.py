"""The use-cases of the warehouse: `stock` counts goods, `floor` picks, checks and packs them."""
