"""Paper costs: every assumption the paper venue makes, stated in one place and handed in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dynamic.planning.costs import CostModel


@dataclass(frozen=True, slots=True)
class PaperCosts:
    """The planner's own cost model, the haircut on exits, and assumed sizes by protocol.

    A size that is not stated is not reported: unknown stays unknown.
    """

    model: CostModel
    pt_exit_haircut_bps: int
    lp_exit_haircut_bps: int
    tvl_usd_micro: Mapping[str, int] = field(default_factory=dict)
    pool_tvl_usd_micro: Mapping[str, int] = field(default_factory=dict)
    exit_capacity_24h_usd_micro: Mapping[str, int] = field(default_factory=dict)
