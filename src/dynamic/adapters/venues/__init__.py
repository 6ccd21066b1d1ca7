"""Venues: where legs are carried out. The paper venue keeps a world of its own."""
