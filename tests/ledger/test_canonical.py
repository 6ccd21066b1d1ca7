"""One meaning, one text, one digest."""

from __future__ import annotations

import json
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic.ledger.canonical import canonical_json, digest, text_digest

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**256), 2**256)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_reading_and_writing_again_changes_nothing(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@given(st.dictionaries(st.text("abcdef"), st.integers(), min_size=2))
def test_order_of_insertion_is_no_meaning(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert digest(turned) == digest(value) == digest(MappingProxyType(value))


def test_the_exact_text() -> None:
    value = {"b": [1, 2.5, None, True], "ä": 2**255, "a": {"z": "\n", "y": ()}}
    assert canonical_json(value) == (
        '{"a":{"y":[],"z":"\\n"},"b":[1,2.5,null,true],"ä":' + str(2**255) + "}"
    )
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert text_digest("{}") == digest({})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_we_do_not_have_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"x": [number]})


@pytest.mark.parametrize("value", [{1: 2}, [{"a": {None: 1}}], Decimal(1), {1, 2}, b"x", object()])
def test_what_has_no_single_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)
