"""Workflows: verbs that read their journal, do the next single thing, and return."""
