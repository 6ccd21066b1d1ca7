"""The mandate is one file, read whole or not at all, and the only place of every limit."""

from __future__ import annotations

import ast
import pickle
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from dynamic.adapters.mandate_file import default_text, read_mandate
from dynamic.errors import ConfigRefused
from dynamic.policy.mandate import from_table, load
from dynamic.units import USD_MICRO
from tests.architecture.rooms import PACKAGE, short
from tests.policy.cases import MANDATE, amended

TABLE = tomllib.loads(default_text(), parse_float=Decimal)


def leaves(table: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def at(table: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for key in path[:-1]:
        table = table[key]
    return table


def fresh() -> dict[str, Any]:
    return tomllib.loads(default_text(), parse_float=Decimal)


# Free tables: a name more or less is the owner's choice, unless something else needs it.
FREE = {"assumptions", "confidence_bps", "horizon_days", "age_s_max", "hard_age_s_max"}
REQUIRED = [path for path in leaves(TABLE) if not FREE & set(path)]
CLOSED = sorted({path[:-1] for path in REQUIRED if "base_split_bps" not in path})


def test_the_default_says_what_the_documents_say() -> None:
    m = MANDATE
    assert m.exposure.volatile_bps_max == 4_000
    assert m.exposure.position_bps_max == 2_500
    assert m.authority.unattended_usd_micro_max == 50_000 * USD_MICRO
    assert m.authority.one_person_usd_micro_max == 100_000 * USD_MICRO
    assert (m.drawdown.warn_bps, m.drawdown.reduce_bps, m.drawdown.exit_bps) == (1000, 1500, 2000)
    assert m.trades.per_day_max == 10
    assert m.gas.price_wei_max == 100 * 10**9
    assert m.protocol_limits.tvl_usd_micro_min == 10_000_000 * USD_MICRO
    assert m.protocol_limits.risk_score_max == 5
    assert m.ladder.mvrv_top == Decimal("3.5")
    assert m.authority.approval_expiry_s == 24 * 3_600


@pytest.mark.req("PM-01", "PM-12")
def test_pm_default_targets() -> None:
    t = MANDATE.treasury
    capital = t.capital_usd_micro
    assert capital == 400_000 * USD_MICRO
    assert capital * t.base_yield_bps // 10_000 == 240_000 * USD_MICRO
    assert capital * t.tactical_bps // 10_000 == 160_000 * USD_MICRO
    assert t.cash_bps == 0


@pytest.mark.req("PM-02")
def test_pm_base_split() -> None:
    split = MANDATE.treasury.base_split_bps
    assert dict(split) == {"aave_v3": 4_167, "pendle_v2": 3_333, "curve": 2_500}
    apy = MANDATE.assumptions.apy_bps
    blended = sum(w * apy[name] for name, w in (("aave_v3", 100), ("pendle_v2", 80), ("curve", 60)))
    assert Decimal(blended) / 240 == Decimal(14_200) / 24  # 591.67 bps: 5.917 %, not 6.5 %


@pytest.mark.req("GR-25")
@pytest.mark.parametrize("path", REQUIRED, ids=".".join)
def test_a_missing_key_is_refused_by_name(path: tuple[str, ...]) -> None:
    table = fresh()
    del at(table, path)[path[-1]]
    with pytest.raises(ConfigRefused) as refused:
        from_table(table)
    assert path[-1] in refused.value.message or "base_split" in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.req("GR-25")
@pytest.mark.parametrize("path", CLOSED, ids=lambda p: ".".join(p) or "top")
def test_an_unknown_key_is_refused_by_name(path: tuple[str, ...]) -> None:
    table = fresh()
    at(table, (*path, "x"))["exposure_max_percent"] = 40
    with pytest.raises(ConfigRefused, match="exposure_max_percent"):
        from_table(table)


@pytest.mark.parametrize("path", list(leaves(TABLE)), ids=".".join)
def test_a_value_of_the_wrong_type_is_refused_by_name(path: tuple[str, ...]) -> None:
    for wrong in (True, Decimal("0.123456789"), "nonsense?", [], {}, -1_000_000_000_000):
        table = fresh()
        if type(at(table, path)[path[-1]]) is type(wrong) and not isinstance(wrong, int):
            continue  # a text may read otherwise
        if isinstance(wrong, Decimal) and path[0] == "ladder":
            continue  # thresholds may have decimals
        at(table, path)[path[-1]] = wrong
        with pytest.raises(ConfigRefused) as refused:
            from_table(table)
        assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("treasury.base_yield_bps", 5_999), ("treasury.base_yield_bps", 6_001),
        ("treasury.btc_bps", 4_999), ("treasury.base_split_bps.curve", 2_501),
        ("exposure.volatile_bps_max", 3_999), ("exposure.volatile_bps_max", 10_001),
        ("drawdown.reduce_bps", 1_000), ("drawdown.reduce_bps", 2_000),
        ("authority.one_person_usd_max", 49_999), ("authority.ceiling_usd_max", 99_999),
        ("ladder.mvrv_top", 3), ("ladder.top_bps", 6_000), ("ladder.hysteresis", Decimal("-0.1")),
        ("gas.price_gwei_max", 14), ("gas.emergency_price_gwei_max", 99),
        ("slippage.stable_bps_max", 49), ("protocols.aave_v3.risk_score", 11),
        ("protocols.aave_v3.risk_score", 0), ("sizing.mode", "yolo"),
        ("authority.unattended_usd_max", Decimal("0.0000001")), ("mandate_version", 0),
        ("schema_version", 2), ("authority.unattended_usd_max", Decimal("NaN")),
        ("profiles.live.hard_age_s_max.price", 899),
        ("profiles.live.new_risk_provenance", ["observed", "invented"]),
    ],
)  # fmt: skip
def test_limits_that_contradict_are_refused(path: str, value: object) -> None:
    keys = tuple(path.split("."))
    with pytest.raises(ConfigRefused) as refused:
        amended(lambda table: at(table, keys).__setitem__(keys[-1], value))
    assert "expected" in refused.value.message
    assert "found" in refused.value.message


def test_the_digest_covers_meaning_and_nothing_else() -> None:
    text = default_text()
    assert load(text + "\n# a comment\n").digest == MANDATE.digest
    assert load(text.replace("50_000  ", "50000  ")).digest == MANDATE.digest
    digests = {MANDATE.digest}
    for path in leaves(TABLE):
        table = fresh()
        holder, key = at(table, path), path[-1]
        if isinstance(holder[key], int) and path[0] in ("authority", "trades", "anomaly", "exits"):
            holder[key] -= 1
            digests.add(from_table(table).digest)
    assert len(digests) > 20
    assert MANDATE.under("replay").digest == MANDATE.digest


def test_a_profile_changes_ages_and_no_limit() -> None:
    replay = MANDATE.under("replay")
    assert replay.data.age_s_max["price"] > MANDATE.data.age_s_max["price"] == 900
    assert replay.exposure == MANDATE.exposure
    assert "synthetic" not in MANDATE.data.new_risk_provenance
    with pytest.raises(ConfigRefused, match="dreams"):
        MANDATE.under("dreams")


def test_the_mandate_is_values_all_the_way_down() -> None:
    assert pickle.loads(pickle.dumps(MANDATE)) == MANDATE
    with pytest.raises(AttributeError):
        MANDATE.exposure.volatile_bps_max = 10_000  # type: ignore[misc]


def test_describe_shows_every_key_of_the_file() -> None:
    shown = {line.key: line for line in MANDATE.describe()}
    assert set(map(".".join, leaves(TABLE))) <= set(shown)
    assert shown["authority.unattended_usd_max"].value == "50000"
    assert shown["authority.unattended_usd_max"].unit == "usd"
    assert all(line.meaning for line in shown.values())


@pytest.mark.req("GR-25")
def test_gr_limits_single_source() -> None:
    """No source file writes one of the mandate's telling numbers a second time."""
    telling = {50_000, 160_000, 240_000, 400_000, 50_000 * USD_MICRO, 400_000 * USD_MICRO,
               1_000_000_000 * USD_MICRO, 172_800, 4_167, 3_333, 3_950, 2_600,
               1_980, 40_000, 540, 100 * 10**9, 500 * 10**9}  # fmt: skip
    again = []
    for room in ("policy", "decision", "workflows", "planning", "trading", "app", "signals"):
        for path in sorted((PACKAGE / room).rglob("*.py")):
            again += [
                f"{short(path)}:{node.lineno} {node.value}"
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Constant)
                and type(node.value) is int
                and node.value in telling
            ]
    assert again == []


def test_no_limit_of_the_room_has_a_default_in_code() -> None:
    """A field without a number in the file must not find one in the class."""
    with pytest.raises(ConfigRefused):
        load("schema_version = 1\nmandate_version = 1\n")


@pytest.mark.parametrize("text", ["", "x", "[", "schema_version = 1", "\x00", "a = 1e999"])
def test_nonsense_is_one_clear_line(text: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        load(text)
    assert "\n" not in refused.value.message


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Any) -> None:
    with pytest.raises(ConfigRefused, match="nowhere"):
        read_mandate(tmp_path / "nowhere.toml")
    (tmp_path / "latin.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigRefused, match="latin"):
        read_mandate(tmp_path / "latin.toml")
    (tmp_path / "huge.toml").write_text("#" * 1_000_001)
    with pytest.raises(ConfigRefused, match="huge"):
        read_mandate(tmp_path / "huge.toml")
    copy = tmp_path / "copy.toml"
    copy.write_text(default_text())
    assert read_mandate(copy).digest == MANDATE.digest
    copy.write_text(default_text().replace("volatile_bps_max = 4_000", "volatile_bps_max = 40.5"))
    with pytest.raises(ConfigRefused, match=r"copy\.toml: exposure\.volatile_bps_max"):
        read_mandate(copy)
