"""Faults: what may go wrong between us and a venue, handed in, never found by chance.

LOST_REPLY     carried out, but nobody tells us
LOST_REQUEST   never arrived
REFUSED        turned away for good, without effect and without gas
DELAYED        accepted, and carried out when the market next moves
"""

import random
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol


class Fault(StrEnum):
    """One thing that may happen to one sending."""

    NONE = "none"
    LOST_REPLY = "lost_reply"
    LOST_REQUEST = "lost_request"
    REFUSED = "refused"
    DELAYED = "delayed"


class Faults(Protocol):
    """Decides what happens to each sending."""

    def on_send(self, key: str, now_s: int) -> Fault:
        """Return the fault of this sending of this key."""
        ...


class NoFaults:
    """Everything arrives."""

    def on_send(self, key: str, now_s: int) -> Fault:  # noqa: ARG002 - the port's signature
        """Return NONE."""
        return Fault.NONE


class SeededFaults:
    """Faults by seed: the same seed gives the same storm."""

    def __init__(self, seed: int, percent: Mapping[Fault, int]) -> None:
        if sum(percent.values()) > 100:
            raise ValueError(f"expected at most 100 % of faults, found {sum(percent.values())}")
        self._random = random.Random(seed)  # noqa: S311 - a storm, not a secret
        self._percent = tuple(percent.items())

    def on_send(self, key: str, now_s: int) -> Fault:  # noqa: ARG002 - the port's signature
        """Draw one fault."""
        drawn = self._random.randrange(100)
        for fault, percent in self._percent:
            if drawn < percent:
                return fault
            drawn -= percent
        return Fault.NONE
