"""Manual entry: a value two people put in by hand while its sources are away, for a limited time.

    ManualEntry x now  ->  Observation labelled FALLBACK, or nothing once it has lapsed

    first_of(provider, provider, ..., manual)   the provider chain: the first that has a value

An entry names who entered it, who confirmed it, the instant it speaks of and when it lapses
(48 h by the mandate). A lapsed entry is missing, like a silent source. With no source and no
entry there is no value; nothing is put in its place. Source: MI-02, MI-03, C-51.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from dynamic.errors import Refused
from dynamic.market.observation import Observation, Provenance
from dynamic.units import iso


@dataclass(frozen=True, slots=True)
class ManualEntry:
    """One value entered by hand. `validity_s` counts from `as_of_s`."""

    key: str
    value: float
    unit: str
    operator: str
    confirmed_by: str
    as_of_s: int
    entered_at_s: int
    validity_s: int

    def __post_init__(self) -> None:
        if not self.operator or not self.confirmed_by or self.operator == self.confirmed_by:
            raise Refused(
                f"{self.key}: expected two different people,"
                f" found {self.operator!r} and {self.confirmed_by!r}; nothing was entered"
            )
        if self.as_of_s > self.entered_at_s:
            raise Refused(
                f"{self.key}: expected a value of the past, found {iso(self.as_of_s)}"
                f" entered at {iso(self.entered_at_s)}"
            )
        if self.has_lapsed(self.entered_at_s):
            raise Refused(f"{self.key}: a value of {iso(self.as_of_s)} has lapsed already")

    def has_lapsed(self, now_s: int) -> bool:
        """Say whether the entry is older than its validity; exactly as old still holds."""
        return now_s - self.as_of_s > self.validity_s

    def observation(self, now_s: int) -> Observation | None:
        """Return the entry as an observation, or None before it was entered or once it lapsed."""
        if now_s < self.entered_at_s or self.has_lapsed(now_s):
            return None
        source = f"manual ({self.operator}, confirmed by {self.confirmed_by})"
        return Observation(
            self.key, self.value, self.unit, source, self.as_of_s, self.entered_at_s,
            Provenance.FALLBACK,
        )  # fmt: skip


def first_of(candidates: Iterable[Observation | None]) -> Observation | None:
    """Return the first provider's value in the order of the chain; None where none has one."""
    return next((found for found in candidates if found is not None), None)
