"""What guardrails cost, where the log tells it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from gonogo.measures.columns import hidden, ratio, value
from gonogo.results import Table
from gonogo.rollup.partial import Partial


@dataclass(frozen=True, slots=True)
class GuardrailCost:
    """Costs in nano-dollars: of checks by their own field, of calls that checks make, of all calls.

    `costed` of the `checks` say what they cost; `calls` are those that a check makes and whose cost
    is known. A check is counted by one of the two.
    """

    checks: int
    costed: int
    own: int
    calls: int
    below: int
    every: int

    @property
    def share(self) -> Fraction | None:
        """Of what all calls cost; None where the log carries no cost of a check."""
        told = (self.costed or self.calls) and self.every > 0
        return Fraction(self.own + self.below, self.every) if told else None


def guardrail_cost(partial: Partial) -> GuardrailCost:
    """What the checks of a partial cost."""
    guards, costs = partial.frames["guardrails"], partial.frames["costs"]
    return GuardrailCost(
        *(int(guards[name].sum()) for name in ("checks", "cost_n", "cost")),
        *(int(costs[name].sum()) for name in ("guarding_n", "guarding_cost", "cost")),
    )


def guardrail_cost_table(partial: Partial) -> Table:
    """One row, or none where the log carries no cost of a check."""
    found = guardrail_cost(partial)
    row = {
        "checks": found.checks, "costed": found.costed, "own": found.own, "calls": found.calls,
        "below": found.below, "spent": found.own + found.below, "cost": found.every,
    }  # fmt: skip
    return Table(
        id="guardrail_cost",
        title="What guardrails cost",
        columns=(
            value("checks", "checks", "count"),
            value("costed", "checks that say their cost", "count"),
            value("own", "cost that checks say", "nano_usd"),
            value("calls", "calls that checks make", "count"),
            value("below", "cost of those", "nano_usd"),
            hidden("spent", "nano_usd"),
            hidden("cost", "nano_usd"),
            ratio("share", "of what calls cost", "spent", "cost"),
        ),
        data={name: [amount] if found.share is not None else [] for name, amount in row.items()},
        note="Calls that checks make stand below a guardrail's span, or have its operation.",
    )
