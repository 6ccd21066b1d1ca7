"""Dynamic: an on-chain treasury that observes, decides, executes, books and measures itself."""

from typing import Final

__version__: Final = "0.1.0"
