"""Protocols: the fixed-point facts of Aave, Pendle and Curve, without asking any of them."""
