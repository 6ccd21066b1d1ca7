"""Signals: which phase the market is in, and what the ladder says to hold."""
