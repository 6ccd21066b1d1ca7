"""Market: what was observed, by whom, when, and how far it may be trusted."""
