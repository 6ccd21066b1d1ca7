"""Adapters: the only rooms with a clock, a socket, a file or a database."""
