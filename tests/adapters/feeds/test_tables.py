"""Tables: every recorded file of rows can be read, and one market written twice reads the same."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamic.adapters.feeds.tables import read_table
from dynamic.errors import Refused


@pytest.mark.req("MI-20")
def test_parquet_and_csv_of_one_market_read_the_same(tmp_path: Path) -> None:
    rows = [("2024-01-01T00:00:00+00:00", 1.5, None), ("2024-01-02T00:00:00+00:00", 2.25, 7)]
    (tmp_path / "a.csv").write_text("open_time_utc,close,count\n" + "\n".join(
        ",".join("" if cell is None else str(cell) for cell in row) for row in rows
    ))  # fmt: skip
    names = ("open_time_utc", "close", "count")
    columns = {name: [row[number] for row in rows] for number, name in enumerate(names)}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    one, two = read_table(tmp_path / "a.csv"), read_table(tmp_path / "a.parquet")
    assert list(one.header) == list(two.header)
    assert [list(row) for row in one.rows] == [list(row) for row in two.rows]


@pytest.mark.req("MI-20")
def test_a_file_that_only_claims_to_be_parquet_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(Refused, match="expected readable parquet") as refused:
        read_table(tmp_path / "a.parquet")
    assert "\n" not in refused.value.message


@pytest.mark.req("TD-11")
def test_every_recorded_table_can_be_read(history_dir: Path) -> None:
    """All of them, with the columns they say they have, and as many rows as their page says."""
    counted = {}
    files = [*history_dir.glob("*.csv.gz"), *history_dir.glob("*.parquet")]
    for path in sorted(files):
        table = read_table(path)
        assert all(len(row) == len(table.header) for row in table.rows), path.name
        counted[path.name] = len(table.rows)
    assert len(counted) > 25
    assert counted["ohlcv_btcusdt_perp_5m_2023_2024.parquet"] == 139_968
    assert counted["btc_onchain_daily.csv.gz"] == 5_281
    assert counted["fear_greed_daily.csv.gz"] == 2_522
