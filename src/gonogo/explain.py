"""Every diagnostic code at length: what it means, why it matters and what to do.

C### the configuration, U### the command line, I### the input, R### saved results, D### notes on
the quality of the data.
"""

from __future__ import annotations

import difflib
from typing import Final

from gonogo.config.codes import CONFIG_CODES
from gonogo.errors import Diagnostic, UsageError
from gonogo.explanations import RESULT, USAGE, Explanation

_INPUT: Final = {
    "I001": Explanation(
        "no files matched",
        "The path, folder or glob names no file that could be a log.",
        "Check the path; quote globs so that the shell leaves them alone.",
    ),
    "I002": Explanation(
        "a file that cannot be opened",
        "The file vanished between listing and reading, or the system refused to open it. The "
        "other files were read.",
        "Run again once the files are in place; do not rotate logs while they are read.",
    ),
    "I003": Explanation(
        "no permission to read a file",
        "The file or folder is there, but this user may not read it. A verdict without it would "
        "not be the one that was asked for, so nothing is judged.",
        "Give read permission, or leave it out.",
    ),
    "I004": Explanation(
        "an empty file",
        "The file has no bytes, or only blank lines. An empty file of a busy service often means "
        "that its writer has stopped.",
        "Check the writer if records were to be expected.",
    ),
    "I005": Explanation(
        "not a text file",
        "The file holds binary data that is neither text nor a compression or table format that "
        "is known.",
        "Pass JSON lines (plain, .gz, .zst) or Parquet.",
    ),
    "I006": Explanation(
        "a compressed file cut short",
        "The file ends before its compressed stream does, as after an interrupted copy. Whole "
        "lines up to that point were read.",
        "Copy the file again; figures from it are incomplete.",
    ),
    "I007": Explanation(
        "a line that is not JSON",
        "The line was set aside with its number and left out of every figure.",
        "Look at the line; write each record as one JSON object on one line.",
    ),
    "I008": Explanation(
        "a line that is not a JSON object",
        "The line is JSON, but a list, text or number, and so has no fields.",
        "Write each record as an object. A file that is one long list has to be split into lines.",
    ),
    "I009": Explanation(
        "two values on one line",
        "The line holds more than one JSON value, as when two writers share a file without a lock. "
        "Taking the first only would lose a record in silence, so the line was set aside.",
        "Write one record a line, each with a line end, in one piece.",
    ),
    "I010": Explanation(
        "no known field",
        "The line is an object, but none of its names is a field that is known, so nothing could "
        "be counted.",
        'Map your names under [fields]: latency_ms = "metrics.duration_ms". gonogo inspect shows '
        "which fields the log has.",
    ),
    "I011": Explanation(
        "a line cut short",
        "The line ends in the middle of its JSON. As the last line of a file it was probably still "
        "being written; elsewhere a writer died or a length limit cut it.",
        "Read finished files, and raise the line limit of the log shipper.",
    ),
    "I012": Explanation(
        "nested too deeply",
        "Objects or lists stand in one another more deeply than is read. Real records do not, and "
        "hostile ones use it to stop readers.",
        "Look at what writes such lines.",
    ),
    "I013": Explanation(
        "invalid UTF-8 was replaced",
        "Some bytes are not UTF-8 and were read as the replacement character. The lines count; "
        "texts on them may be garbled, and so may split one model or tool into two.",
        "Write the log as UTF-8.",
    ),
    "I014": Explanation(
        "a field of an unexpected type",
        "A field holds an object, list or text where another type is expected, such as a number "
        "where tool_calls should be a list. The field was taken as missing; the rest of the line "
        "counts.",
        "Correct the writer, or map the right path under [fields].",
    ),
    "I015": Explanation(
        "a number or time that cannot be read",
        "The value is a text that is no number, NaN or infinite, or a time in no known form. It "
        "was taken as missing, never as zero.",
        "Write numbers as JSON numbers and times as ISO 8601 or epoch.",
    ),
    "I016": Explanation(
        "a negative latency",
        "A call cannot end before it starts; clocks were set back or two of them were mixed. The "
        "latency was taken as missing, and the call still counts.",
        "Measure durations with a monotonic clock.",
    ),
    "I017": Explanation(
        "a time to first token that cannot be true",
        "It is zero, or later than the end of the call. It was taken as missing: gateways that log "
        "0 would make every percentile look excellent.",
        "Log the time to first token of streamed calls only.",
    ),
    "I018": Explanation(
        "times without an offset were taken as UTC",
        "These timestamps do not say which time zone they are in. If they are local times, hours, "
        "days and the period are shifted.",
        "Log times with an offset, such as 2026-11-18T14:00:00Z.",
    ),
    "I019": Explanation(
        "every line of a file is bad",
        "Not one line of the file could be read, which is hardly a few broken records but another "
        "format. The run stops: a verdict without this file would not be the one that was asked "
        "for.",
        "Look at the reason given for the first line; leave the file out if it is not a log.",
    ),
    "I020": Explanation(
        "the same file twice",
        "Two files have the same content, or one file was named twice. It was read once.",
        "Nothing, unless the files should differ.",
    ),
    "I021": Explanation(
        "a Parquet schema that is not understood",
        "Columns have types or nestings that fit no known field, so nothing could be read from "
        "them.",
        "Use the names of the log line, or map columns under [fields].",
    ),
    "I022": Explanation(
        "a broken Parquet file",
        "The file is not Parquet in spite of its name, or its footer or pages are damaged.",
        "Write or copy the file again.",
    ),
    "I023": Explanation(
        "no usable logs",
        "After reading everything there is no record to judge. The verdict is INCONCLUSIVE, so "
        "that an earlier GO does not stay up as if it were this one.",
        "See what is said about each file.",
    ),
    "I024": Explanation(
        "duplicates that differ",
        "Records with the same trace and span id have different contents. The first one counts. "
        "Ids may be reused, or a record was logged before and after it was complete.",
        "Give each span its own id, and log it once it has ended.",
    ),
    "I025": Explanation(
        "a dimension with too many values",
        "A dimension has more values than are kept apart; the rarest were folded into (other), "
        "with their count. Usually an id was logged as a release, operation or model.",
        "Log something with few values in this field.",
    ),
    "I026": Explanation(
        "no records in the period",
        "The logs were read, but none of their records lies in the period that was asked for.",
        "Check --period against the first and last time in the logs, and the time zone.",
    ),
    "I027": Explanation(
        "times that cannot be true",
        "Some times lie far in the past or the future, such as 1970 or next century, often because "
        "of a wrong unit of an epoch time. These records count in totals and stay out of time "
        "series.",
        "Check the clock and the unit of the writer.",
    ),
    "I028": Explanation(
        "no room on the disk for temporary files",
        "Decoded lines beyond 160 MB, and the identities of lines beyond twelve million, go into "
        "temporary files while logs are read: 8 bytes a line for the search for duplicates, and "
        "some 420 more for a line of JSON; Parquet is read again instead. Where even the least "
        "that this can be is more than what is free, nothing is read; if the disk fills up on the "
        "way, the run ends. The files are gone when it ends.",
        "Make room, or set TMPDIR to a folder on a larger disk. `gonogo rollup` with a day of logs "
        "at a time needs the room of a day, and so do logs in Parquet in place of lines.",
    ),
    "I030": Explanation(
        "what this format cannot say",
        "Every format of logs leaves something out: Bedrock's InvokeModel has no latency, MLflow "
        "no time to first token, and hardly any says what a sampler dropped. What is left out is "
        "missing in the report, and never zero.",
        "docs/formats.md has a table of what each format carries. Where traffic was sampled, say "
        "so with --sampling-rate.",
    ),
    "I031": Explanation(
        "an export that may be cut off",
        "The file has exactly as many rows as its exporter writes unless told otherwise, so later "
        "ones are probably missing.",
        "Export again with a higher limit, in parts, or for a shorter period.",
    ),
    "I032": Explanation(
        "a record that is not as its format has it",
        "The file is of a known format, but this record of it has another shape: another version "
        "of the writer, a cut, or something else that was written into the file.",
        "The other records count. If the writer is newer than gonogo, a mapping file may read it.",
    ),
    "I033": Explanation(
        "metrics instead of spans",
        "OTLP metrics are histograms: single calls, and with them exact counts against a "
        "threshold, cannot be had from them.",
        "Export the traces of the same service.",
    ),
    "I034": Explanation(
        "results of an evaluation among the logs",
        "The file is known, and holds no calls of production traffic: it was left out.",
        "Keep it in another folder, or name the format with --log-format if it is a log.",
    ),
    "I035": Explanation(
        "a log of a format that is not known",
        "None of its records has a field that is known, and none of the formats claims it.",
        "Map its names to those of gonogo: [fields] in readiness.toml for names alone, a mapping "
        "file (--log-format mine.toml) where units or values have to be translated; "
        "docs/formats.md shows how.",
    ),
    "I036": Explanation(
        "a version of a format that is not known yet",
        "The records name a version of their format that is newer than this gonogo, or unheard of. "
        "They were read by the rules of the versions that are known; members that have moved "
        "since are missing in the report, never zero.",
        "Hold a few calls against the source, and update gonogo. Where a member has another name "
        "now, [fields] in readiness.toml or a mapping file reads it.",
    ),
    "I037": Explanation(
        "a path of [fields] that no record has",
        "Nothing stands at the path in the records that were looked at, which are the first of "
        "each file: it is misspelt, or counts from the wrong place. Paths count from the record, "
        "also those of fields in a list: steps.fn, not fn. The field is read under its usual "
        "names, and missing if it has none of them.",
        "Correct the path under [fields]; gonogo inspect names what is in the records and not "
        "read. Leave the line out if the field is no longer logged.",
    ),
    "I038": Explanation(
        "fields that nothing reads, while others are missing",
        "No call has one of the fields that a verdict needs, such as a latency or an outcome, and "
        "the records hold fields that are not known: what is missing may be there under another "
        "name. The first records of each file were looked at.",
        "gonogo inspect lists what is not read; map it under [fields], or in a mapping file where "
        "units or words differ. Log what is not there at all.",
    ),
    "I043": Explanation(
        "the logs of a published period are gone",
        "The period was built from calls before, and now the logs hold none of it, as when they "
        "are deleted after some weeks. Publishing that there were none would be wrong.",
        "Nothing; the published page stays. To judge the period again, bring its logs back.",
    ),
    "I041": Explanation(
        "costs in another currency",
        "The record names a currency that is not the US dollar. No rate is known to convert it by, "
        "so the cost was taken as unknown; the call is priced by its tokens where that can be "
        "done.",
        "Log cost_usd in US dollars.",
    ),
    "I042": Explanation(
        "durations that can hardly be right",
        "From its durations and output tokens, half of all calls wrote more than 10,000 tokens a "
        "second, or less than one in twenty seconds. The fastest models write some thousands: most "
        "likely the log has its times in another unit than the one that they were read in.",
        'Name the unit: in [fields], latency_s = "elapsed" reads seconds, latency_us microseconds.',
    ),
}

CODES: Final[dict[str, Explanation]] = {
    **{code: Explanation(*texts) for code, texts in CONFIG_CODES.items()},
    **USAGE,
    **_INPUT,
    **RESULT,
}
"""Explanations by code."""


def explain(code: str) -> str:
    """The explanation of a code as plain text; case does not matter.

    Raises UsageError with the nearest codes where there is no such code.
    """
    wanted = code.strip().upper()
    found = CODES.get(wanted)
    if found is None:
        near = difflib.get_close_matches(wanted.replace("O", "0"), CODES, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "a code looks like C005"
        shown = "".join(c if c.isprintable() else "?" for c in code.strip()[:20])
        what = f"'{shown}' is not a diagnostic code"
        raise UsageError((Diagnostic("U001", "", what, hint),))
    return f"{wanted}: {found.title}\n\n{found.text}\n\nWhat to do: {found.todo}\n"
