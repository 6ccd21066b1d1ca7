"""The dashboard: the treasury on a screen, for the people who answer for it."""
