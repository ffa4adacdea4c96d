"""Proof: where each cost comes from, what has none, and where log and price list differ."""

from __future__ import annotations

from typing import Final

from gonogo import display
from gonogo.cost.parts import MOST, Row, hidden, made, ratio, sums, total, value
from gonogo.pricing.rates import BUCKETS, REASONS
from gonogo.results import Table
from gonogo.rollup.partial import DIFFERENCES, WHY, Partial

BUCKET_TITLES: Final = {
    "input": "fresh input",
    "cache_read": "input read from the provider’s cache",
    "cache_write": "input written to it",
    "cache_write_1h": "input written to it for an hour",
    "audio_input": "audio input",
    "image_input": "image input",
    "output": "output",
    "reasoning": "reasoning",
    "audio_output": "audio output",
    "per_call": "charged for each call",
}
_EXPLAINED: Final = {
    "cached_full": "the log charges cached input at the full price",
    "written_plain": "the log charges cache writes as plain input",
    "cached_twice": "the log charges cached input on top of an input that holds it",
    "cached_free": "the log leaves cached input out",
    "reasoning_twice": "the log charges reasoning on top of an output that holds it",
    "reasoning_free": "the log leaves reasoning out",
    "hour_as_usual": "the log charges cache writes for an hour at the five-minute price",
    "tier_ignored": "the log charges batch or flex calls at the standard price",
    "other": "not explained by one kind of token: another price, tier or discount",
}


def sources(partial: Partial) -> Table:
    """Calls by where their cost comes from."""
    found = total(partial)
    named = (
        ("as logged", "from_log"),
        ("by the public price list", "from_list"),
        ("by prices of your own", "from_own"),
        ("nothing: answered by the gateway’s cache, or refused without an answer", "free"),
    )
    rows = [{"source": title, "calls": found[key]} for title, key in named if found[key]]
    missing = found["calls"] - found["cost_n"]
    if missing:
        rows.append({"source": "unknown, and not $0", "calls": missing})
    shape = (
        value("source", "cost of the call", "text"),
        value("calls", "calls", "count"),
        hidden("all_calls"),
        ratio("share", "share", "calls", "all_calls"),
    )
    rows = [{**row, "all_calls": found["calls"]} for row in rows]
    return made("cost_sources", "Where the cost comes from", shape, rows, _sources_note(found))


def _sources_note(found: Row) -> str:
    parts = []
    if found["hits"]:
        hits = f"{display.count(found['hits'])} gateway cache hits cost nothing"
        if found["hits_priced"]:
            hits += f" and saved {display.money(found['saved'])}"
        parts.append(hits)
    parts.append(
        "failed calls without an answer cost nothing; those that timed out or were cut off, and "
        "blocked ones, cost what their tokens do"
    )
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def by_model(partial: Partial) -> Table:
    """Logged against priced cost by model, over calls that have both."""
    rows = []
    for row in sums(partial, "provider", "model")[:MOST]:
        gap = row["both_logged"] - row["both_priced"] if row["both"] else None
        logged = row["both_logged"] if row["both"] else None
        priced = row["both_priced"] if row["both"] else None
        rows.append({**row, "gap": gap, "shown_logged": logged, "shown_priced": priced})
    shape = (
        value("model", "model", "text"),
        value("provider", "provider", "text"),
        value("calls", "calls", "count"),
        hidden("cost_n"),
        ratio("coverage", "with a cost", "cost_n", "calls"),
        value("both", "calls with both", "count"),
        value("shown_logged", "logged", "nano_usd"),
        value("shown_priced", "by the price list", "nano_usd"),
        value("gap", "difference", "nano_usd", "logged less priced"),
        hidden("differs_same_n"),
        ratio("agree", "agree", "differs_same_n", "both", "calls whose two costs agree"),
    )
    note = "Agree: to within 0.5 %, or a millionth of a dollar a call."
    return made("cost_proof", "Logged against priced", shape, rows, note)


def unknown(partial: Partial) -> Table:
    """Calls without a cost, by model, with the commonest reason."""
    everything = total(partial)
    tokens = everything["tokens_known"] + everything["tokens_unknown"]
    rows = []
    for row in sums(partial, "provider", "model"):
        missing = row["calls"] - row["cost_n"]
        if missing:
            why = max(WHY, key=lambda w: (row[f"why_{int(w)}"], -w))
            rows.append({**row, "missing": missing, "why": REASONS[why], "all_tokens": tokens})
    shape = (
        value("model", "model", "text"),
        value("provider", "provider", "text"),
        value("missing", "calls without a cost", "count"),
        hidden("calls"),
        ratio("share", "of its calls", "missing", "calls"),
        hidden("tokens_unknown", "tokens"),
        hidden("all_tokens", "tokens"),
        ratio("tokens", "of all tokens", "tokens_unknown", "all_tokens"),
        value("why", "most often because", "text"),
    )
    missing = everything["calls"] - everything["cost_n"]
    note = ""
    if missing:
        priced = display.ratio(everything["cost_n"], everything["calls"])
        note = f"{priced} of calls have a cost; {display.count(missing)} have none"
        if tokens:
            note += f", with {display.ratio(everything['tokens_unknown'], tokens)} of all tokens"
        note += ". State a price under [[prices.model]], or log cost_usd."
    ranked = sorted(rows, key=lambda r: (-r["missing"], r["model"], r["provider"]))
    return made("cost_unknown", "Calls without a cost", shape, ranked[:MOST], note)


def differences(partial: Partial) -> Table:
    """What logged and priced cost differ by, and which kind of token explains it."""
    rows = []
    for row in sums(partial, "provider", "model"):
        rows += [
            {
                "model": row["model"],
                "kind": _EXPLAINED[kind],
                "calls": row[f"differs_{kind}_n"],
                "both": row["both"],
                "gap": row[f"differs_{kind}_nano"],
            }
            for kind in DIFFERENCES[1:]
            if row[f"differs_{kind}_n"]
        ]
    shape = (
        value("model", "model", "text"),
        value("kind", "what explains it", "text"),
        value("calls", "calls", "count"),
        hidden("both"),
        ratio("share", "of calls with both", "calls", "both"),
        value("gap", "difference", "nano_usd", "logged less priced"),
    )
    ranked = sorted(rows, key=lambda r: (-abs(r["gap"]), r["model"], r["kind"]))
    return made("cost_differences", "Why they differ", shape, ranked[:MOST])


def buckets(partial: Partial) -> Table:
    """Priced cost by kind of token; each token is in exactly one of them."""
    found = total(partial)
    rows = [
        {
            "bucket": BUCKET_TITLES[name],
            "tokens": found[f"tokens_{name}"] if name in BUCKETS else None,
            "cost": found[f"nano_{name}"],
            "all_cost": found["priced"],
        }
        for name in (*BUCKETS, "per_call")
        if found[f"nano_{name}"] or found.get(f"tokens_{name}")
    ]
    shape = (
        value("bucket", "kind", "text"),
        value("tokens", "tokens", "tokens"),
        value("cost", "by the price list", "nano_usd"),
        hidden("all_cost", "nano_usd"),
        ratio("share", "share", "cost", "all_cost"),
    )
    note = (
        f"Over {display.count(found['priced_n'])} calls that the price list can price; the kinds "
        "do not overlap. Cache writes are five-minute ones unless the log says that they are for "
        "an hour, and calls are of the standard tier unless it says batch or flex."
    )
    return made("cost_buckets", "What the tokens cost", shape, rows, note if rows else "")
