"""The rule-based advisor: the model's chair, filled by five plain rules of the mandate.

    HOLD     new risk while confidence is low or unknown, or the phase is unknown
    REDUCE   buys while funding or greed is extreme, to half
    DELAY    a discretionary move while gas is three times its 30-day median
    ASK      a discretionary proposal that is large for this treasury
    PROCEED  everything else, and every reduction the mandate demands

It fits `ports.Advisor` by shape. It reads numbers from the dossier by name (`confidence`,
`funding:BTC` per 8 h, `fear_greed`, `gas_median_30d_wei`); a number that is absent is not
judged, except the confidence, whose absence holds new risk. Deterministic: same input, same
words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from dynamic.decision.advice import Advice, Verdict
from dynamic.policy.case import Case, measure
from dynamic.policy.mandate import Mandate
from dynamic.policy.proposal import Proposal, Urgency
from dynamic.policy.situation import Situation
from dynamic.units import BPS

NAME = "rules/1"
_PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class RuleAdvisor:
    """Advises by the mandate's [advisor] numbers and nothing else."""

    mandate: Mandate

    def advise(
        self, proposal: Proposal, situation: Situation, dossier: Mapping[str, str]
    ) -> Advice:
        """Judge one proposal; a dossier it cannot read holds new risk."""
        if proposal.urgency is not Urgency.DISCRETIONARY:
            return _advice(Verdict.PROCEED, f"{proposal.urgency}: not the advisor's to stop")
        case = measure(proposal, situation, self.mandate)
        adds_risk = case.acquires or case.enters
        try:
            numbers = {name: _number(dossier, name) for name in _READ}
        except InvalidOperation:
            numbers = {}
        return (
            (self._hold(situation, numbers) if adds_risk else None)
            or self._delay(situation, numbers)
            or (self._reduce(numbers) if case.acquires else None)
            or self._ask(case)
            or _advice(Verdict.PROCEED, "nothing speaks against it")
        )

    def _hold(self, situation: Situation, numbers: Mapping[str, Decimal | None]) -> Advice | None:
        least = self.mandate.advisor.confidence_bps_min
        confidence = numbers.get("confidence")
        if confidence is None:
            return _advice(Verdict.HOLD, "confidence is unknown")
        if confidence * BPS < least:
            cited = {"confidence": str(confidence)}
            return _advice(Verdict.HOLD, f"confidence {confidence} below {least} bps", cited)
        if situation.phase == "unknown":
            return _advice(Verdict.HOLD, "the phase is unknown")
        return None

    def _delay(self, situation: Situation, numbers: Mapping[str, Decimal | None]) -> Advice | None:
        limits, price = self.mandate.advisor, situation.gas_price_wei
        median = numbers.get("gas_median_30d_wei")
        if price is None or median is None:
            return None
        spike = int(median) * limits.gas_spike_multiple_bps // BPS
        if price <= spike:
            return None
        cited = {"gas_price_wei": str(price)}
        text = f"gas {price} wei above {spike} wei"
        return Advice(Verdict.DELAY, 0, limits.delay_s, text, NAME, cited)

    def _reduce(self, numbers: Mapping[str, Decimal | None]) -> Advice | None:
        limits = self.mandate.advisor
        funding, greed = numbers.get("funding:BTC"), numbers.get("fear_greed")
        reasons = {}
        if funding is not None and funding * _PPM > limits.funding_ppm_8h_max:
            reasons["funding:BTC"] = f"{funding} per 8 h above {limits.funding_ppm_8h_max} ppm"
        if greed is not None and greed > limits.greed_max:
            reasons["fear_greed"] = f"{greed} above {limits.greed_max}"
        if not reasons:
            return None
        text = "; ".join(f"{name} {why}" for name, why in reasons.items())
        return Advice(Verdict.REDUCE, limits.reduce_scale_bps, 0, text, NAME, reasons)

    def _ask(self, case: Case) -> Advice | None:
        limit, nav = self.mandate.advisor.ask_move_bps, case.situation.nav_usd_micro
        if case.moved * BPS <= limit * nav:
            return None
        share = -(-case.moved * BPS // nav) if nav > 0 else BPS
        return _advice(Verdict.ASK, f"moves {share} bps of NAV, above {limit} bps")


_READ = ("confidence", "funding:BTC", "fear_greed", "gas_median_30d_wei")


def _number(dossier: Mapping[str, str], name: str) -> Decimal | None:
    """Read a number of the dossier; None where absent, InvalidOperation where it is not one."""
    written = dossier.get(name)
    if written is None or not written.strip():
        return None
    value = Decimal(written)
    if not value.is_finite():
        raise InvalidOperation(f"{name} is {written}")
    return value


def _advice(verdict: Verdict, text: str, cited: Mapping[str, str] | None = None) -> Advice:
    return Advice(verdict, 0, 0, text, NAME, cited or {})
