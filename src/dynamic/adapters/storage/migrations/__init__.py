"""The one history of the tables, forward and back, for SQLite and PostgreSQL alike."""

from typing import Final

# The revision this program works with; a test holds it equal to the newest script.
HEAD: Final = "0002"
