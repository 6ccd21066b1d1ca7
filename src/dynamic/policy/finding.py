"""A finding: one limit, hit, with what was observed; enough to recompute the no with a pencil."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit, hit. `observed` and `limit` share `unit`; `subject` says where."""

    rule: str
    observed: int | str
    limit: int | str
    unit: str
    subject: str = ""

    @property
    def message(self) -> str:
        """Say it: `position-cap: observed 2 613 bps, limit 2 500 bps (aave_v3:USDC)`."""
        where = f" ({self.subject})" if self.subject else ""
        observed, limit = self._show(self.observed), self._show(self.limit)
        return f"{self.rule}: observed {observed}, limit {limit}{where}"

    def _show(self, value: int | str) -> str:
        if isinstance(value, str):
            return value
        return f"{value:,} {self.unit}".replace(",", " ")
