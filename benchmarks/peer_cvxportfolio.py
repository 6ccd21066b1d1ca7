"""The ladder in cvxportfolio: weekly, or when a weight leaves its 5-point band.

python peer_cvxportfolio.py TABLE COST_BPS      one JSON line; exit 3 where it is not installed
"""

from __future__ import annotations

import json
import resource
import sys
import time

try:
    import cvxportfolio as cvx
    import pandas as pd
except ImportError:
    sys.exit(3)

BAND = 0.05


class LadderRule(cvx.policies.Policy):
    """Trade to the day's weights weekly, or when one has left its band; else hold."""

    def __init__(self, weights: pd.DataFrame) -> None:
        self._weights = weights
        self._week: tuple[int, int] | None = None
        self.rebalances = 0

    def values_in_time(self, t, current_weights, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ARG002
        """Return the weights to hold from now on."""
        wanted = self._weights.loc[t]
        week = t.isocalendar()[:2]
        if week == self._week and (current_weights - wanted).abs().max() <= BAND:
            return current_weights
        self._week = week
        self.rebalances += 1
        return wanted


def main() -> None:
    table = pd.read_csv(sys.argv[1], parse_dates=["date"]).set_index("date")
    table = table[~table.index.duplicated(keep="last")]
    cost = float(sys.argv[2]) / 10_000
    prices = table[["btc", "eth"]]
    weights = table[["w_btc", "w_eth"]].set_axis(["btc", "eth"], axis=1)
    weights["cash"] = 1.0 - weights["btc"] - weights["eth"]
    returns = prices.shift(-1) / prices - 1.0
    returns["cash"] = 0.0
    cpu, wall = time.process_time(), time.perf_counter()
    data = cvx.UserProvidedMarketData(
        returns=returns, prices=prices, cash_key="cash", min_history=pd.Timedelta("0d")
    )
    costs = [cvx.TransactionCost(a=cost)]
    simulator = cvx.MarketSimulator(market_data=data, costs=costs, round_trades=False)
    policy = LadderRule(weights)
    result = simulator.backtest(
        policy, start_time=prices.index[0], end_time=prices.index[-1], initial_value=400_000.0
    )
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        json.dumps(
            {
                "version": cvx.__version__,
                "days": len(result.v),
                "seconds": wall,
                "cpu_seconds": cpu,
                "end_value": round(float(result.v.iloc[-1]), 2),
                "rebalances": policy.rebalances,
                "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
