"""Planning: from permitted moves to ordered, priced, bounded legs.

The specification's names (RB-22) are here; inside, `plan_rebalancing` is `planner.plan`.
"""

from dynamic.planning.planner import estimate_gas_costs
from dynamic.planning.planner import plan as plan_rebalancing
from dynamic.planning.settlement import execute_rebalancing_plan

__all__ = ["estimate_gas_costs", "execute_rebalancing_plan", "plan_rebalancing"]
