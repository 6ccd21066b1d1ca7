"""Trading: the SDK façade and the one composition root."""
