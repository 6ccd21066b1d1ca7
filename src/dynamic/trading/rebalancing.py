"""Rebalancing under the specification's names (RB-22): plan, price, carry out.

plan_rebalancing           permitted moves -> ordered, bounded legs     planning.planner.plan
estimate_gas_costs         a plan's gas in dollars, rounded up          planning.planner
execute_rebalancing_plan   the plan in hand, leg by leg, once           workflows.carry_out
"""

from dynamic.planning.planner import estimate_gas_costs
from dynamic.planning.planner import plan as plan_rebalancing
from dynamic.workflows.carry_out import carry_out as execute_rebalancing_plan

__all__ = ["estimate_gas_costs", "execute_rebalancing_plan", "plan_rebalancing"]
