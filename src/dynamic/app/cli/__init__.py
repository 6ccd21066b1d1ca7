"""CLI: the command line, verb first."""
