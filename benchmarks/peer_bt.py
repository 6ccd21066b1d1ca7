"""The ladder in bt: weekly, or when a weight leaves its 5-point band; costs on what is traded.

python peer_bt.py TABLE COST_BPS      one JSON line; exit 3 where bt is not installed
"""

from __future__ import annotations

import json
import resource
import sys
import time

try:
    import bt
    import pandas as pd
except ImportError:
    sys.exit(3)

BAND = 0.05


class OutOfBand(bt.Algo):
    """True where a weight is more than the band away from its target, in points of NAV."""

    def __call__(self, target) -> bool:  # type: ignore[no-untyped-def]
        wanted = target.temp["weights"]
        for name, weight in wanted.items():
            held = target.children[name].weight if name in target.children else 0.0
            if abs(held - weight) > BAND:
                return True
        return False


def main() -> None:
    table = pd.read_csv(sys.argv[1], parse_dates=["date"]).set_index("date")
    table = table[~table.index.duplicated(keep="last")]
    cost = float(sys.argv[2]) / 10_000
    prices = table[["btc", "eth"]]
    weights = table[["w_btc", "w_eth"]].set_axis(["btc", "eth"], axis=1)
    cpu, wall = time.process_time(), time.perf_counter()
    strategy = bt.Strategy(
        "ladder",
        [
            bt.algos.SelectAll(),
            bt.algos.WeighTarget(weights),
            bt.algos.Or([bt.algos.RunWeekly(run_on_first_date=True), OutOfBand()]),
            bt.algos.Rebalance(),
        ],
    )
    test = bt.Backtest(
        strategy, prices, initial_capital=400_000.0, integer_positions=False, progress_bar=False,
        commissions=lambda quantity, price: abs(quantity) * price * cost,
    )  # fmt: skip
    bt.run(test)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        json.dumps(
            {
                "version": bt.__version__,
                "days": len(prices),
                "seconds": wall,
                "cpu_seconds": cpu,
                "end_value": round(float(test.strategy.value), 2),
                "rebalances": int((test.strategy.positions.diff().abs().sum(axis=1) > 0).sum()),
                "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
