"""The state machines: what may be done at random, once to the product and once to the model."""
