"""The codes of configuration problems at length: title, what it means, what to do."""

from __future__ import annotations

from typing import Final

CONFIG_CODES: Final[dict[str, tuple[str, str, str]]] = {
    "C001": (
        "the configuration cannot be read",
        "The file that was named does not exist, is a folder, may not be read, or is too large to "
        "be a configuration.",
        "Check the path and the permissions, or let gonogo init write a first file.",
    ),
    "C002": (
        "the configuration is not UTF-8",
        "TOML files are UTF-8. This one holds bytes that are not, often because an editor saved it "
        "in an older encoding.",
        "Save the file again as UTF-8. A byte-order mark at its start does no harm.",
    ),
    "C003": (
        "the configuration is not TOML",
        "The file breaks the rules of TOML at the place that is given. Names with braces, stars or "
        "dots and all texts stand in quotes. Nothing behind that place could be checked.",
        'Correct the line: "latency.p95{model=gpt-4o*}" = "<= 2.5s"',
    ),
    "C004": (
        "a key is written twice",
        "Each key and each [section] may stand once. Which of the two should count cannot be told.",
        "Keep one of them; the message names both places.",
    ),
    "C005": (
        "unknown key",
        "A key that is not known would have no effect, and a misspelt threshold that has no effect "
        "is a gate left open. TOML also gives every line to the last [section] above it, so that a "
        "setting such as timezone has to stand above the first one.",
        "Take the name that is suggested, move the line, or delete it.",
    ),
    "C006": (
        "a section that this version does not read",
        "The name is kept for a later version. Reading past it in silence would look as if it were "
        "enforced.",
        "Delete or comment out the section, or use a version that reads it.",
    ),
    "C007": (
        "a value of the wrong type",
        "A text, number, list, table or date stands where another of them is expected. A threshold "
        "is always a text, because it carries a comparator and a unit.",
        'Write it as the message says, for instance "<= 1%" instead of 0.01.',
    ),
    "C008": (
        "something required is missing",
        "An objective in its long form needs a limit; an exclusion needs from, to, reason and "
        "owner, since it takes records out of the figures and is printed with both.",
        "Add what the message names.",
    ),
    "C009": (
        "a text that cannot be used",
        "The text is empty or holds control characters. A reason or an owner that says nothing is "
        "none.",
        "Fill it in, or leave the line out.",
    ),
    "C010": (
        "unknown indicator",
        "An objective names an indicator, then a statistic for what has a distribution, then a "
        "selector: latency.p95{model=gpt-4o*}. The first part is none that gonogo measures.",
        "Take the name that is suggested.",
    ),
    "C011": (
        "unknown or missing statistic",
        "Latencies, costs and token counts have a distribution and need a statistic: mean, or a "
        "percentile such as p95 or p99.9. Rates have none. Without quotes, TOML reads the dot in "
        "latency.p95 as a table.",
        'Write "latency.p95", "cost_per_call.mean" or "error_rate", in quotes.',
    ),
    "C012": (
        "a percentile that does not exist",
        "Percentiles lie between 0 and 100, both left out. The 99.9th is written p99.9, not p999.",
        "Correct the number.",
    ),
    "C013": (
        "a selector that cannot be read",
        "A selector is a list of key=glob in braces, divided by commas; in a glob * stands for any "
        "text and ? for one character. A value with a comma, brace, quote or equals sign stands in "
        "double quotes. Regular expressions are not read.",
        'Write {model=gpt-4o*,environment=production} or {tool="search, web"}.',
    ),
    "C014": (
        "unknown selector key",
        "Every indicator can be narrowed by the dimensions (service, environment, release, "
        "prompt_version, operation, provider, model, tenant_id); guardrails also by name and "
        "stage, tools by tool, retrievals by index_version and embedding_model.",
        "Take the key that is suggested.",
    ),
    "C015": (
        "the same objective twice",
        "Two keys differ in the order of their selector or in the writing of a percentile, and "
        "mean the same events. With two limits, one of them would be hidden.",
        "Keep one of them.",
    ),
    "C016": (
        "a threshold that cannot be read",
        "A threshold is a comparator (<=, <, >=, >), a number with a decimal point and without an "
        "exponent, and a unit.",
        'Write "<= 2.5s", "<= 1%", ">= 90%" or "<= $0.02".',
    ),
    "C017": (
        "a threshold that is not a number",
        "NaN and infinity compare with nothing in a way that could decide.",
        "Write a number.",
    ),
    "C018": (
        "a number without its unit",
        "2.5 may be seconds or milliseconds; a guess that is wrong by a thousand would pass every "
        "week. Costs carry a dollar sign.",
        'Write "<= 2.5s", "<= 800ms" or "<= $0.02".',
    ),
    "C019": (
        "a unit that does not fit",
        "Times take us, ms, s or min; ratios take % or nothing; money takes a leading $ and "
        "possibly k or M; tokens and tokens per second are plain numbers.",
        "Take the unit that the message names.",
    ),
    "C020": (
        "a ratio that is none",
        "A ratio lies between 0 and 1, or between 0% and 100%. A plain 99.5 is meant as a "
        "percentage most of the time, but not always.",
        'Write ">= 99.5%" or ">= 0.995".',
    ),
    "C021": (
        "a comparator that points the wrong way",
        "For latencies, costs, errors and triggers low is good; for hit rates and tokens per "
        "second high is good. With the other comparator, the objective would reward failure.",
        "Turn the comparator around.",
    ),
    "C022": (
        "a limit that can never be met",
        "Nothing is below zero, and no rate is above 100 %. '<= 0%' is possible and means that not "
        "a single event is allowed.",
        "Choose a limit that a good week can meet.",
    ),
    "C023": (
        "a limit that can never be missed",
        "Every possible value meets it, so it would be green whatever happens. A plain 1 in a "
        "ratio is 100 %.",
        'Choose a limit that a bad week would miss; for one in a hundred write "<= 1%".',
    ),
    "C024": (
        "a limit that is too large",
        "Values are counted as 64-bit whole numbers of microseconds, nano-dollars or tokens; the "
        "limit is beyond them, or has more digits than are read.",
        "Check the unit.",
    ),
    "C025": (
        "unknown severity",
        "blocking decides the verdict, warning is shown beside it, informational is only listed.",
        "Choose one of the three.",
    ),
    "C026": (
        "a number out of range",
        "minimum is a sample of at least 1, top a number of rows, and minimum_coverage a share "
        "between 0 and 1.",
        "Correct the number.",
    ),
    "C027": (
        "unknown time zone",
        "Days and weeks are those of the declared time zone, by its IANA name. Abbreviations and "
        "offsets do not know when clocks change.",
        "Write a name such as Europe/Berlin, or UTC.",
    ),
    "C028": (
        "unknown field name",
        "[fields] maps names of gonogo's log line to dotted paths of yours: the name of gonogo "
        "stands on the left, your path on the right.",
        'Take the name that is suggested: latency_ms = "metrics.duration_ms"',
    ),
    "C029": (
        "a field path that cannot be read",
        "A path is a list of names with one dot between two of them, from the line on. What is "
        "of a tool call, a retrieval or a guardrail stands in an item of the line: its path names "
        "the item's place and the member in it.",
        'Write it as "attributes.usage.input".',
    ),
    "C030": (
        "a time that cannot be read",
        "A date, or for an exclusion a date and time, as TOML or ISO 8601 writes them. Without "
        "an offset they are in the declared time zone; where its clocks change, an hour happens "
        "twice or never, and then the offset is needed.",
        "Write 2026-11-18T14:00:00+01:00.",
    ),
    "C031": (
        "a range that ends before it starts",
        "An exclusion leaves out the records from `from` up to, but not including, `to`.",
        "Swap the two.",
    ),
    "C032": (
        "unknown name under [not_applicable]",
        "What may be declared absent are the tables retrievals, tool_calls and guardrail_checks, "
        "and the fields that a production log must have.",
        "Take the name that is suggested.",
    ),
    "C033": (
        "a colour that cannot be read",
        "The accent colour is a # with three or six hexadecimal digits.",
        "Write #0a7ea4.",
    ),
    "C034": (
        "a link that cannot be used",
        "Links are http or https, without a password. trace_url holds {trace_id} behind the host, "
        "where the id of a trace is filled in.",
        "Write https://tracing.example/trace/{trace_id}.",
    ),
    "C035": (
        "unknown name under publish",
        "publish opens by name what the public profile keeps closed.",
        "Take the name that is suggested.",
    ),
    "C036": (
        "a word that is not known",
        "The key takes one of a few words: a role, a stage, a gate, a guardrail.",
        "Take the word that is suggested.",
    ),
    "C037": (
        "a logo that cannot be shown",
        "The logo is a PNG, JPEG, WebP or SVG file of at most 100 KB (100,000 bytes), told by its "
        "bytes, not its name. Its path counts from where the configuration is. Whoever opens the "
        "address of an SVG has it as a page of the site’s host, so that one with scripts, event "
        "handlers, links, animations, entities or references to anything outside of it is "
        "refused.",
        "Save it as plain SVG without what the message names, or as PNG.",
    ),
    "C051": (
        "a price that cannot be read",
        "Prices are US dollars per million tokens, written as a text with a dollar sign; per_call "
        "is for each call. A price needs rates for input and output, a rate for each call, or a "
        "discount off the public list. Other currencies are not converted.",
        'Write input = "$2.50" and output = "$10".',
    ),
    "C052": (
        "two prices for one model at one time",
        "Entries of [[prices.model]] with the same model and provider have dates that overlap, so "
        "that a call in between would have two prices.",
        "End the first with `to` on the day on which the second begins with `from`.",
    ),
    "C053": (
        "a projection without a target",
        "cost.monthly_at_target says what a month costs at the traffic that is planned for, and "
        "that has to be stated.",
        "Add calls_per_day = 100000 under [cost].",
    ),
    "C060": (
        "a comparison that cannot be made",
        "[compare] against holds texts such as release=2026.47..2026.46: a dimension, what is "
        "judged, and what it is held against.",
        'Write against = ["release=2026.47..2026.46"], or "provider=acme" for acme against all '
        "others.",
    ),
    "C061": (
        "a length of time that cannot be read",
        "Windows are a whole number and a unit: m or min, h, d or w, up to a year.",
        "Write 5m, 1h, 3d or 4w.",
    ),
    "C062": (
        "a window narrower than a bin",
        "Calls are counted in bins of 5 minutes. A window that is narrower, or that is no multiple "
        "of 5 minutes, would need counts that are not kept.",
        "Write 5m or a multiple of it.",
    ),
    "C065": (
        "a time slice that cannot be judged",
        "With slice and slices an objective counts slices of time and not events: in so many of "
        "them the limit has to hold. Slices are made of 5-minute bins, and hours of slices.",
        'Write slice = "5m" and slices = ">= 99%".',
    ),
    "C064": (
        "a dimension that cannot be grouped by",
        "group_by judges an objective for each value of a dimension by itself. It takes the "
        "dimensions and the keys of its own that the indicator can be narrowed by.",
        "Take the name that is suggested.",
    ),
    "C063": (
        "a burn rate that cannot be replayed",
        "A burn-rate alert has a long window, a shorter one, and a share of the error budget above "
        "zero. Published pairs exist for budgets of 7d, 28d and 30d; for any other window they "
        "have to be stated.",
        "Take a published window, or add [[burn_rate]] with alert, budget, long and short.",
    ),
    "C071": (
        "a pattern that does not compile",
        "Patterns are regular expressions of Rust's engine, which takes linear time whatever the "
        "text is. Look-around and back-references do not exist in it. The message says at "
        "which character of the pattern the trouble is.",
        "Mend the pattern. In single quotes TOML leaves backslashes alone: '\\bSKU-[0-9]+\\b'",
    ),
    "C072": (
        "a constraint that cannot be used",
        "A [[constraint]] without a rule would always be met, and one that asks for opposites "
        "never.",
        "Write one of must_match, must_not_match, citation, pii, min_chars, max_chars, json, "
        "json_schema and banned.",
    ),
    "C073": (
        "the same name twice",
        "Constraints are told apart by their names, in the figures of earlier weeks too.",
        "Give one of them another name.",
    ),
}
