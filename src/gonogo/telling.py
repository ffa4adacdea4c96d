"""Sentences about excursions that pages and exports share."""

from __future__ import annotations

from typing import Final

from gonogo import display
from gonogo.results import Coincidence, Excursion, Step

_NAMES: Final = {"tenant_id": "tenant", "name": "guardrail"}


def impact(e: Excursion) -> str:
    """Whom it touched: 147 calls, 62 sessions, 60 users, 12 tenants; these calls cost $0.45."""
    if e.impact is None:
        return f"{display.count(e.bad)} bad of {display.count(e.total)}"
    i = e.impact
    touched = [f"{display.count(i.calls)} {'call' if i.calls == 1 else 'calls'}"]
    for number, one, many, missing in (
        (i.sessions, "session", "sessions", i.without_session),
        (i.users, "user", "users", i.without_user),
        (i.tenants, "tenant", "tenants", 0),
    ):
        if number:
            without = f" ({display.count(missing)} calls log none)" if missing else ""
            touched.append(f"{display.count(number)} {one if number == 1 else many}{without}")
    text = ", ".join(touched)
    if i.cost_nano_usd is not None:
        text += f"; these calls cost {display.money(i.cost_nano_usd)}"
    if i.extra_cost_nano_usd is not None and i.extra_cost_nano_usd > 0:
        text += f", {display.money(i.extra_cost_nano_usd)} more than as many good ones of that time"
    return text


def edges(e: Excursion, zone: str) -> tuple[str, ...]:
    """Between when and when it began and ended (95 %); nothing of an edge that is certain."""
    said = []
    for verb, at, between in (
        ("Began", e.onset, e.onset_between),
        ("Ended", e.end, e.end_between),
    ):
        if between is not None and between != (at, at):
            low, high = (display.time(time, zone) for time in between)
            said.append(f"{verb} between {low} and {high}, with 95 % confidence")
    return tuple(said)


def coincidence(c: Coincidence) -> str:
    """What stands out, with its counts; never that it is the cause."""
    name = f"{dimension(c.dimension)} {c.value}"
    share = display.ratio(round(c.share * 10**6), 10**6)
    held = "of all events in that time" if c.against == "others" else "of the whole period"
    return (
        f"{name} has {display.count(c.bad)} of the {display.count(c.all_bad)} bad events "
        f"({display.ratio(c.bad, c.all_bad)}), and {share} {held}"
    )


def step(s: Step) -> str:
    """One thing that happened within a call: tool get_order 30 s (failed)."""
    took = "" if s.duration_us is None else f" {display.duration(s.duration_us)}"
    return s.name + took + (" (failed)" if s.failed else "")


def dimension(name: str) -> str:
    """A dimension as readers call it: tenant, prompt version."""
    return _NAMES.get(name, name.replace("_", " "))
