"""GitHub Actions: annotations, the summary of a job, a comment on a pull request, outputs.

Limits and syntax: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from gonogo.conventions import Severity, Status, Verdict
from gonogo.exports import figures
from gonogo.exports.cut import characters, within
from gonogo.exports.markdown import summary_md
from gonogo.privacy import printable_line
from gonogo.results import Decision, Gate, ReadinessResult

MOST_ANNOTATIONS: Final = 10
SUMMARY_BYTES: Final = 1 << 20
COMMENT_BYTES: Final = 65_000
"""A comment takes 65,536 characters; the rest is for what GitHub adds."""
MARKER: Final = "<!-- gonogo:readiness -->"
"""First line of the comment, by which the next run finds it."""

_CUT: Final = "The rest did not fit and was left out from the end; readiness.json has all of it."
_MESSAGE: Final = 500
_LEVELS: Final = {Status.BREACHED: "error", Status.NO_DATA: "warning", Status.AT_RISK: "warning"}
_WORST_FIRST: Final = ("error", "warning", "notice")
_VERDICT_LEVELS: Final = {Verdict.NO_GO: "error", Verdict.INCONCLUSIVE: "warning"}


def annotate(result: ReadinessResult, decision: Decision, root: str = "") -> str:
    """At most ten workflow commands, the worst first, at the line of each threshold.

    What blocks is an error; what is waived, at risk or not known a warning. Where there are more
    than ten, the tenth counts those left out. `root` is the checkout, to which paths are made
    relative; one outside of it is not named. The verdict is the first, so that a GO says something
    too.
    """
    told = [*_objectives(result, root)]
    if decision == result.readiness:
        told += [_gate(g) for g in result.gates if g.status in _LEVELS]
    told.sort(key=lambda one: _WORST_FIRST.index(one[0]))
    found = [_verdict(decision), *(line for _, line in told)]
    if len(found) > MOST_ANNOTATIONS:
        more = len(found) - MOST_ANNOTATIONS + 1
        said = f"and {more} more; the summary of the job has all of them"
        found = [*found[: MOST_ANNOTATIONS - 1], _command("notice", said, title="gonogo")]
    return "".join(f"{line}\n" for line in found)


def finding(text: str, place: str, *, is_warning: bool, root: str = "") -> str:
    """One annotation at `place` (file:line:column), as a line."""
    level = "warning" if is_warning else "notice"
    return _command(level, text, title="readiness.toml", **_place(place, root)) + "\n"


def job_summary(result: ReadinessResult, decision: Decision) -> str:
    """The report in Markdown, within 1 MiB."""
    return within(summary_md(result, decision), SUMMARY_BYTES, _CUT)


def comment(result: ReadinessResult, decision: Decision) -> str:
    """The same as the body of a comment, within 64 KB; its first line is MARKER."""
    return within(f"{MARKER}\n{summary_md(result, decision)}", COMMENT_BYTES, _CUT)


def outputs(result: ReadinessResult, decision: Decision, exit_code: int, place: PurePath) -> str:
    """What a step hands on, a line each; `place` is the readiness.json of the result."""
    breached = [o for o in result.objectives if o.status is Status.BREACHED]
    waived = sum(o.is_waived for o in breached)
    values = {
        "verdict": decision.verdict.value,
        "slo": result.slo.verdict.value,
        "breaches": str(len(breached) - waived),
        "waived": str(waived),
        "exit-code": str(exit_code),
        "site": str(place.parent),
        "result": str(place),
    }
    # A value with a line end could add a line, and with it an output, of its own.
    return "".join(f"{name}={' '.join(value.splitlines())}\n" for name, value in values.items())


def _verdict(decision: Decision) -> str:
    level = _VERDICT_LEVELS.get(decision.verdict, "notice")
    return _command(level, figures.summary(decision), title=f"gonogo: {decision.verdict.value}")


def _objectives(result: ReadinessResult, root: str) -> Iterator[tuple[str, str]]:
    """(level, command) of each objective that is not met."""
    for o in result.objectives:
        level = _LEVELS.get(o.status)
        if level is None:
            continue
        if o.severity is Severity.INFORMATIONAL:
            level = "notice"
        elif o.severity is Severity.WARNING or o.is_waived:
            level = "warning"
        title = f"{figures.status_words(o)}: {o.id}"
        text = "; ".join(filter(None, (o.accepted, o.reason)))
        yield level, _command(level, text, title=title, **_place(o.defined_at or "", root))


def _gate(gate: Gate) -> tuple[str, str]:
    """(level, command) of a gate that is not met."""
    text = f"{gate.text}; next: {gate.next_step}" if gate.next_step else gate.text
    title = f"{figures.STATUS_WORDS[gate.status]}: {gate.title}"
    level = _LEVELS[gate.status] if gate.required else "warning"
    return level, _command(level, text, title=title)


def _place(place: str, root: str) -> dict[str, str]:
    """file, line and col of `file:line:column`, where the file is in the checkout."""
    path, _, rest = place.rpartition(":")
    path, _, line = path.rpartition(":")
    if not path or not line.isdecimal() or not rest.isdecimal():
        return {}
    file = PurePath(path)
    if file.is_absolute():
        if not root or not file.is_relative_to(root):
            return {}
        file = file.relative_to(root)
    if ".." in file.parts:
        return {}
    return {"file": file.as_posix(), "line": line, "col": rest}


def _command(level: str, message: str, **properties: str) -> str:
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {told}::{_data(characters(printable_line(message), _MESSAGE))}"


def _data(text: str) -> str:
    """The escapes of a message; a command ends at the end of its line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    plain = characters(printable_line(text), 200)
    return _data(plain).replace(":", "%3A").replace(",", "%2C")
