"""Simulation: the same engine on recorded or seeded time."""
