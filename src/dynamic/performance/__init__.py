"""Performance: what the treasury earned, why, and against what."""
