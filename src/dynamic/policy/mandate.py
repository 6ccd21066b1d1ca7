"""The mandate: the one signed, hashed file in which every limit lives.

    load : text  ->  Mandate, or ConfigRefused naming key, expected, found

Invariants: an unknown or missing key refuses the whole file; a float never passes; sums that
must be 10 000 are; limits that must be ordered are. `digest` covers what the file *means*
(sorted, canonical), so a comment changes nothing and a limit changes everything. Approvals
and permits carry it. Reading the file is `adapters.mandate_file`'s work.
"""

# ruff: noqa: RUF009  (field specifications, as dataclasses.field itself)

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from dynamic.errors import ConfigRefused
from dynamic.policy import fields
from dynamic.policy.fields import Described, refuse, section, sections
from dynamic.policy.sections import (
    Advisor,
    Anomaly,
    Assumptions,
    Authority,
    Data,
    Drawdown,
    Emergency,
    Exits,
    Exposure,
    Gas,
    Ladder,
    Listing,
    ProtocolLimits,
    Schedule,
    Sizing,
    Slippage,
    Trades,
    Treasury,
    Var,
)
from dynamic.units import BPS

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Mandate:
    """Every limit. `data` is the profile in force; the file's digest covers all profiles."""

    schema_version: int = fields.count("Shape of the file", "version", 1)
    mandate_version: int = fields.count(
        "Edition of the limits; raise it with every change", "edition", 1
    )
    treasury: Treasury = section(Treasury)
    ladder: Ladder = section(Ladder)
    sizing: Sizing = section(Sizing)
    exposure: Exposure = section(Exposure)
    drawdown: Drawdown = section(Drawdown)
    authority: Authority = section(Authority)
    trades: Trades = section(Trades)
    gas: Gas = section(Gas)
    slippage: Slippage = section(Slippage)
    protocol_limits: ProtocolLimits = section(ProtocolLimits)
    protocols: Mapping[str, Listing] = sections(Listing)
    exits: Exits = section(Exits)
    profiles: Mapping[str, Data] = sections(Data)
    assumptions: Assumptions = section(Assumptions)
    var: Var = section(Var)
    schedule: Schedule = section(Schedule)
    emergency: Emergency = section(Emergency)
    anomaly: Anomaly = section(Anomaly)
    advisor: Advisor = section(Advisor)
    digest: str = ""
    profile: str = "live"

    @property
    def data(self) -> Data:
        """Age limits and provenance of the profile in force."""
        return self.profiles[self.profile]

    def under(self, profile: str) -> "Mandate":
        """Return the same limits, judged on another profile's data: live, paper or replay."""
        if profile not in self.profiles:
            raise refuse("profiles", f"one of {', '.join(self.profiles)}", profile)
        return dataclasses.replace(self, profile=profile)

    def describe(self) -> tuple[Described, ...]:
        """List every limit: key path, value, unit, meaning."""
        return tuple(fields.describe(self))


def load(text: str) -> Mandate:
    """Read a mandate from TOML; all of it or none of it."""
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as broken:
        raise ConfigRefused(f"mandate: expected TOML, found {broken}; it was not used") from None
    return from_table(table)


def from_table(table: Mapping[str, Any]) -> Mandate:
    """Read a mandate from an already parsed table, check that it agrees with itself, hash it."""
    version = table.get("schema_version")
    if version != SCHEMA_VERSION:
        raise refuse("schema_version", str(SCHEMA_VERSION), version)
    mandate = fields.read(Mandate, table)
    check(mandate)
    return dataclasses.replace(mandate, digest=digest_of(mandate))


def with_sizing_mode(mandate: Mandate, mode: str) -> Mandate:
    """Return the mandate with another sizing mode; it is another mandate, and says so by digest."""
    sizing = dataclasses.replace(mandate.sizing, mode=mode)
    other = dataclasses.replace(mandate, sizing=sizing)
    return dataclasses.replace(other, digest=digest_of(other))


def digest_of(mandate: Mandate) -> str:
    """SHA-256 over the canonical content: sorted keys, integers, decimals in plain form."""
    content = {
        k: v for k, v in dataclasses.asdict(mandate).items() if k not in ("digest", "profile")
    }
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(plain.encode()).hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    raise TypeError(f"expected a value of a mandate, found {type(value).__name__}")


# --- agreement ----------------------------------------------------------------------------------


def check(mandate: Mandate) -> None:
    """Refuse limits that contradict each other."""
    _check_sums(mandate)
    _check_orders(mandate)
    for name in mandate.treasury.base_split_bps:
        if name not in mandate.protocols:
            raise refuse(f"treasury.base_split_bps.{name}", "a listed protocol", name)
    if "live" not in mandate.profiles:
        raise refuse("profiles", "a profile named live", ", ".join(mandate.profiles))
    for name, data in mandate.profiles.items():
        for metric, age_s in data.age_s_max.items():
            hard_s = data.hard_age_s_max.get(metric)
            if hard_s is None or hard_s < age_s:
                raise refuse(
                    f"profiles.{name}.hard_age_s_max.{metric}", f"{age_s} s or more", hard_s
                )
        if "price" not in data.age_s_max:
            raise refuse(f"profiles.{name}.age_s_max.price", "an age in s", "nothing")


def _check_sums(mandate: Mandate) -> None:
    t = mandate.treasury
    for where, parts in (
        ("treasury.base_yield_bps + tactical_bps + cash_bps",
         (t.base_yield_bps, t.tactical_bps, t.cash_bps)),
        ("treasury.btc_bps + eth_bps", (t.btc_bps, t.eth_bps)),
        ("treasury.base_split_bps", tuple(t.base_split_bps.values())),
    ):  # fmt: skip
        if sum(parts) != BPS:
            raise refuse(where, f"a sum of {BPS} bps", sum(parts))


def _check_orders(mandate: Mandate) -> None:
    """Refuse any chain of limits that does not rise."""
    a, d, e, x, g = (
        mandate.authority, mandate.drawdown, mandate.exposure, mandate.ladder, mandate.gas,
    )  # fmt: skip
    p, s, t = mandate.protocol_limits, mandate.slippage, mandate.treasury
    rising: tuple[tuple[str, tuple[int | Decimal, ...]], ...] = (
        ("drawdown.warn_bps < reduce_bps < exit_bps", (d.warn_bps, d.reduce_bps, d.exit_bps)),
        ("ladder thresholds", (x.mvrv_accumulation, x.mvrv_euphoria_max, x.mvrv_top,
                               x.mvrv_sell_2, x.mvrv_sell_3, x.mvrv_exit)),
        ("ladder shares, from exit to accumulation",
         (x.exit_bps, x.sell_3_bps, x.sell_2_bps, x.top_bps, x.euphoria_bps, x.accumulation_bps)),
    )  # fmt: skip
    weakly: tuple[tuple[str, tuple[int | Decimal, ...]], ...] = (
        ("authority.unattended_usd_max <= one_person_usd_max <= ceiling_usd_max",
         (a.unattended_usd_micro_max, a.one_person_usd_micro_max, a.ceiling_usd_micro_max)),
        ("authority.mandatory_usd_max <= ceiling_usd_max",
         (a.mandatory_usd_micro_max, a.ceiling_usd_micro_max)),
        ("exposure.volatile_trim_to_bps <= volatile_bps_max",
         (e.volatile_trim_to_bps, e.volatile_bps_max)),
        ("exposure.position_bps_max <= trim_bps", (e.position_bps_max, e.position_trim_bps)),
        ("tactical_bps <= exposure.volatile_bps_max", (t.tactical_bps, e.volatile_bps_max)),
        ("gas.low_gwei <= price_gwei_max <= emergency_price_gwei_max",
         (g.low_price_wei, g.price_wei_max, g.emergency_price_wei_max)),
        ("protocol_limits.tvl_usd_min <= tvl_automatic_usd_min",
         (p.tvl_usd_micro_min, p.tvl_automatic_usd_micro_min)),
        ("slippage.default_bps <= stable_bps_max <= volatile_bps_max",
         (s.default_bps, s.stable_bps_max, s.volatile_bps_max)),
        ("treasury.gas_reserve_usd_min <= gas_reserve_usd",
         (t.gas_reserve_usd_micro_min, t.gas_reserve_usd_micro)),
    )  # fmt: skip
    for where, values in rising:
        if any(low >= high for low, high in pairwise(values)):
            raise refuse(where, "a rising order", " ".join(map(str, values)))
    for where, values in weakly:
        if any(low > high for low, high in pairwise(values)):
            raise refuse(where, "an order that never falls", " ".join(map(str, values)))
