"""Ages at their exact bounds, snapshots by their content, and no look-ahead."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.errors import ConfigRefused, InvariantBroken
from dynamic.market.observation import Observation, Provenance
from dynamic.market.quality import classify
from dynamic.market.snapshot import assemble

NOW = 1_700_000_000
AGES = {"price": 900, "funding": 28_800, "fear_greed": 129_600, "mvrv_z": 129_600}
HARD = {"price": 3_600, "funding": 86_400, "fear_greed": 259_200, "mvrv_z": 259_200}
KEYS = ("price:BTC", "funding:BTC", "fear_greed", "mvrv_z:BTC")


def seen(key: str, age_s: int, value: float = 1) -> Observation:
    return Observation(key, value, "ratio", "test", NOW - age_s, NOW - age_s)


@pytest.mark.req("MI-15", "MI-19")
@pytest.mark.parametrize("key", KEYS)
def test_mi_stale_serving(key: str) -> None:
    metric = key.partition(":")[0]
    soft, hard = AGES[metric], HARD[metric]

    def state(age_s: int) -> Provenance | None:
        found = classify(seen(key, age_s), NOW, AGES, HARD)
        return None if found is None else found.provenance

    assert [state(age) for age in (0, soft, soft + 1, hard, hard + 1)] == [
        Provenance.OBSERVED, Provenance.OBSERVED, Provenance.STALE, Provenance.STALE, None,
    ]  # fmt: skip


@pytest.mark.req("MI-15")
def test_mi_stale_serving_with_one_bound() -> None:
    """Where both limits are equal a value goes from fresh to missing."""
    assert classify(seen("price:BTC", 900), NOW, AGES, AGES) is not None
    assert classify(seen("price:BTC", 901), NOW, AGES, AGES) is None


def test_limits_by_key_by_metric_and_for_everything_else() -> None:
    ages = {"price": 10, "price:USDC": 20, "*": 5}
    hard = {"*": 100}
    assert classify(seen("price:USDC", 20), NOW, ages, hard) == seen("price:USDC", 20)
    for key, age_s in (("price:BTC", 11), ("price:USDC", 21), ("tvl:aave_v3", 6)):
        found = classify(seen(key, age_s), NOW, ages, hard)
        assert found is not None
        assert found.provenance is Provenance.STALE


def test_a_metric_without_a_limit_is_refused() -> None:
    with pytest.raises(ConfigRefused, match="age limit for tvl:aave_v3"):
        classify(seen("tvl:aave_v3", 0), NOW, AGES, HARD)


@pytest.mark.parametrize("late_s", [1, 86_400])
def test_reading_the_future_breaks_an_invariant(late_s: int) -> None:
    known_later = replace(seen("price:BTC", 0), fetched_at_s=NOW + late_s)
    speaks_of_later = replace(seen("price:BTC", 0), as_of_s=NOW + late_s)
    for observation in (known_later, speaks_of_later):
        with pytest.raises(InvariantBroken, match="look-ahead"):
            assemble(NOW, [observation], AGES, HARD, ())


observations = st.lists(
    st.builds(
        Observation,
        key=st.sampled_from(KEYS),
        value=st.integers(0, 100) | st.floats(-10, 10),
        unit=st.just("ratio"),
        source=st.sampled_from(["a", "b"]),
        as_of_s=st.integers(NOW - 300_000, NOW),
        fetched_at_s=st.just(NOW),
    ),
    max_size=8,
    unique_by=lambda one: (one.key, one.as_of_s),
)


@pytest.mark.req("MI-12", "MI-16")
@given(observations, st.randoms())
def test_a_snapshot_is_named_by_its_content(found: list[Observation], chance: object) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one = assemble(NOW, found, AGES, HARD, KEYS)
    other = assemble(NOW, shuffled, AGES, HARD, KEYS)
    assert one == other
    assert assemble(NOW + 1, found, AGES, HARD, KEYS).snapshot_id != one.snapshot_id
    for key, reading in one.readings.items():
        assert reading.value in [o.value for o in found if o.key == key]
    assert set(one.missing) == set(KEYS) - one.readings.keys()
    assert set(one.readings) <= {o.key for o in found}


@pytest.mark.req("MI-19")
@given(st.sampled_from(["value", "source", "as_of_s", "fetched_at_s", "provenance", "unit"]))
def test_mi_provenance_is_part_of_the_name(field: str) -> None:
    base = replace(seen("price:BTC", 100), fetched_at_s=NOW - 50)
    changed = replace(
        base,
        **{
            "value": {"value": 2},
            "source": {"source": "other"},
            "as_of_s": {"as_of_s": NOW - 99},
            "fetched_at_s": {"fetched_at_s": NOW - 49},
            "provenance": {"provenance": Provenance.FALLBACK},
            "unit": {"unit": "usd"},
        }[field],  # type: ignore[arg-type]
    )
    one, other = (assemble(NOW, [o], AGES, HARD, ()) for o in (base, changed))
    assert one.snapshot_id != other.snapshot_id


def test_the_later_value_of_a_key_counts() -> None:
    older, newer = seen("price:BTC", 60, 1), seen("price:BTC", 5, 2)
    for order in ([older, newer], [newer, older]):
        found = assemble(NOW, order, AGES, HARD, ()).reading("price:BTC")
        assert found is not None
        assert found.value == 2


@pytest.mark.req("MI-17")
def test_mi_zero_is_data_in_a_snapshot() -> None:
    zero = assemble(NOW, [seen("mvrv_z:BTC", 0, 0.0)], AGES, HARD, ("mvrv_z:BTC",))
    assert zero.missing == ()
    assert zero.fresh("mvrv_z:BTC") is not None
    assert math.copysign(1, float(zero.readings["mvrv_z:BTC"].value)) == 1
