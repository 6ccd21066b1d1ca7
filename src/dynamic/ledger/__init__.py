"""Ledger: double entry in base units, lots, the audit chain, and reconciliation."""
