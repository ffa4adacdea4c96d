"""Commands for machines: rollups, a saved result in the form that a service reads, CI systems."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gonogo import console
from gonogo.conventions import EXIT_INCONCLUSIVE, EXIT_NO_GO, EXIT_OK, Verdict
from gonogo.errors import Diagnostic, UsageError
from gonogo.options import (
    SETTINGS,
    Input,
    Repeatable,
    debug_option,
    passes,
    reads_logs,
    writes_into,
)

if TYPE_CHECKING:
    from gonogo.results import Decision, ReadinessResult

FORMATS: Final = ("json", "markdown", "junit", "github", "slack", "csv")
_SLO_ONLY: Final = click.option(
    "--slo-only", is_flag=True, help="The objectives (SLO) without the gates."
)
_RESULT: Final = click.argument("result", type=click.Path(path_type=Path))


def exit_code(verdict: Verdict, *, strict: bool, allow_inconclusive: bool) -> int:
    """0 to let pass, 1 to stop, 3 where nothing can be said."""
    if verdict is Verdict.INCONCLUSIVE:
        return EXIT_OK if allow_inconclusive else EXIT_INCONCLUSIVE
    stops = verdict is Verdict.NO_GO or (verdict is Verdict.CONDITIONS and strict)
    return EXIT_NO_GO if stops else EXIT_OK


def rendered(result: ReadinessResult, decision: Decision, form: str) -> str:
    """The result as one of FORMATS."""
    if form == "json":
        from gonogo.exports.json_out import dumps

        # "##[" is a command in the logs of some CI systems; inside a JSON text it can be spelt so.
        return dumps(result).replace("##", "#\\u0023")
    if form == "junit":
        from gonogo.exports.junit import junit_xml

        return junit_xml(result, slo_only=decision is not result.readiness)
    if form == "github":
        from gonogo.exports.github import annotate

        return annotate(result, decision, os.environ.get("GITHUB_WORKSPACE", ""))
    if form == "slack":
        from gonogo.exports.slack import slack_json

        return slack_json(result, decision)
    if form == "csv":
        from gonogo.exports.csv_out import objectives_csv

        return objectives_csv(result)
    from gonogo.exports.markdown import summary_md

    return summary_md(result, decision)


@click.command(
    context_settings=SETTINGS,
    short_help="A saved result as Markdown, JUnit, Slack and so on.",
    epilog="\b\nExamples:\n  gonogo report site/readiness.json --format slack\n"
    "  gonogo report site/readiness.json --format comment > comment.md\n"
    "  gonogo report public/ --exit-code\n\n"
    "Exits with 0 whatever the verdict is, unless --exit-code makes it the last step of a job: "
    "publish first, fail last.",
)
@_RESULT
@click.option(
    "--format",
    "form",
    envvar="GONOGO_REPORT_FORMAT",
    type=click.Choice([*FORMATS, "comment"]),
    default="markdown",
    show_default=True,
    help="What to write to stdout; comment is Markdown within the size of a pull request comment.",
)
@_SLO_ONLY
@click.option(
    "--exit-code",
    "ends",
    envvar="GONOGO_REPORT_EXIT_CODE",
    is_flag=True,
    help="Exit as gonogo check does: 1 where it is NO-GO, 3 where it is INCONCLUSIVE.",
)
@passes
@debug_option
def report(
    result: Path, form: str, slo_only: bool, ends: bool, strict: bool, allow_inconclusive: bool
) -> None:
    """Write a saved RESULT in another form, SLA and SLO verdicts as they were.

    RESULT is a readiness.json or a site; of a site of many periods it is the newest one.

    Nothing is sent anywhere: hand the text to whatever posts it. All of it is made harmless once
    more, so the result may come from a fork.
    """
    saved, decision = _loaded(_found(result), slo_only)
    if form == "comment":
        from gonogo.exports.github import comment

        console.data(comment(saved, decision))
    else:
        console.data(rendered(saved, decision, form))
    if ends:
        code = exit_code(decision.verdict, strict=strict, allow_inconclusive=allow_inconclusive)
        click.get_current_context().exit(code)


@click.command(
    context_settings=SETTINGS,
    short_help="Tell GitHub Actions what a saved result says.",
    epilog="\b\nExamples:\n  gonogo ci site/\n  gonogo ci site/2026-W47/readiness.json --strict\n\n"
    "The outputs are verdict, slo, breaches, waived, exit-code, site and result; a later step or "
    "job ends with exit-code, after the site is published.",
)
@_RESULT
@_SLO_ONLY
@passes
@debug_option
def ci(result: Path, slo_only: bool, strict: bool, allow_inconclusive: bool) -> None:
    """Annotate the thresholds (SLA, SLO) that a saved RESULT says are not met, and more.

    RESULT is a readiness.json or a site; of a site of many periods it is the newest one.

    Writes annotations to stdout, the report to the summary of the job, and the outputs of the
    step: to the files that GITHUB_STEP_SUMMARY and GITHUB_OUTPUT name, where they are set. Exits
    with 0: publish first, fail last.
    """
    from gonogo.exports import github

    place = _found(result)
    saved, decision = _loaded(place, slo_only)
    code = exit_code(decision.verdict, strict=strict, allow_inconclusive=allow_inconclusive)
    console.data(rendered(saved, decision, "github"))
    _append("GITHUB_STEP_SUMMARY", github.job_summary(saved, decision))
    _append("GITHUB_OUTPUT", github.outputs(saved, decision, code, place))


@click.command(
    "config-diff",
    context_settings=SETTINGS,
    short_help="What a change of readiness.toml does to the bar.",
    epilog="\b\nExamples:\n  gonogo config-diff base/readiness.toml readiness.toml\n"
    "  gonogo config-diff base/readiness.toml readiness.toml --format github --strict\n"
    "  gonogo config-diff base/readiness.toml readiness.toml --also templates\n\n"
    "A file that is not there stands for the default thresholds.",
)
@click.argument("base", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("head", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format",
    "form",
    envvar="GONOGO_CONFIG_DIFF_FORMAT",
    type=click.Choice(["text", "github"]),
    default="text",
    show_default=True,
    help="Lines, or annotations for GitHub Actions.",
)
@click.option(
    "--also",
    cls=Repeatable,
    multiple=True,
    metavar="NAME",
    help="A file or folder beside both (templates, mappings, golden baseline); repeatable.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 where the bar is lower, or could be.")
@debug_option
def config_diff(base: Path, head: Path, form: str, also: tuple[str, ...], strict: bool) -> None:
    """Say how the SLA and SLO thresholds of HEAD differ from those of BASE.

    A pull request is judged by the thresholds of the branch that it goes into; that it changes
    them is for people to see. What lowers the bar stands first, marked with !.
    """
    from gonogo.config.changes import changes, file_changes
    from gonogo.config.load import default_config, load
    from gonogo.exports.github import finding
    from gonogo.privacy import printable_line

    before, after = (load(p) if p.is_file() else default_config() for p in (base, head))
    found = (*file_changes(base.parent, head.parent, also), *changes(before, after))
    root = os.environ.get("GITHUB_WORKSPACE", "")
    for change in found:
        if form == "github":
            line = finding(change.text, change.where, is_warning=change.looser, root=root)
            console.data(line)
        else:
            place = f" ({change.where})" if change.where else ""
            mark = "!" if change.looser else "·"
            console.text(f"{mark} {printable_line(change.text + place)}\n")
    if not found:
        console.say("no change of a threshold or setting")
    if strict and any(change.looser for change in found):
        click.get_current_context().exit(EXIT_NO_GO)


@click.command(
    context_settings=SETTINGS,
    short_help="Print the script that completes commands in a shell.",
    epilog='\b\nExamples:\n  eval "$(gonogo completion bash)"         in ~/.bashrc\n'
    '  eval "$(gonogo completion zsh)"          in ~/.zshrc\n'
    "  gonogo completion fish > ~/.config/fish/completions/gonogo.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@debug_option
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands and options, those about SLA and SLO too."""
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root().command
    made = get_completion_class(shell)
    assert made is not None
    console.data(made(root, {}, "gonogo", "_GONOGO_COMPLETE").source() + "\n")


def _found(path: Path) -> Path:
    """The result of a site; of many periods, that of the one which ended last."""
    from gonogo.history import is_period, read
    from gonogo.history.archive import RESULT

    if not path.is_dir() or (path / RESULT).is_file():
        return path / RESULT if path.is_dir() else path
    results = [folder / RESULT for folder in sorted(path.iterdir()) if is_period(folder.name)]
    entries = [
        (entry.order, result)
        for result in results
        if result.is_file() and (entry := read(result.read_bytes(), result.parent.name))
    ]
    return max(entries)[1] if entries else path / RESULT


def _loaded(path: Path, slo_only: bool) -> tuple[ReadinessResult, Decision]:
    from gonogo.exports.json_out import load

    saved = load(path)
    return saved, saved.slo if slo_only else saved.readiness


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        what = f"${variable} names a file that cannot be written: {error.strerror}"
        raise UsageError((Diagnostic("U066", path, what, "unset it outside of CI"),)) from error


@click.command(
    context_settings=SETTINGS,
    short_help="Count LOGS once, file by file, for later verdicts.",
    epilog="\b\nExamples:\n  gonogo rollup logs/ -o rollups/\n"
    "  gonogo rollup 'logs/2026-11-*.jsonl.gz' -o rollups/ --quiet\n\n"
    "  gonogo rollup logs/2026-11-22/ --engine spark --master 'local[4]'\n\n"
    "A file that is unchanged is not read again; one that was interrupted is made again. Spark "
    "counts all LOGS together, as one entry: give it a day at a time.",
)
@reads_logs
@writes_into("rollups", "Folder of the rollups; private, like the logs themselves.")
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="What counts: this process, or Spark (pip install 'gonogo[spark]').",
)
@click.option(
    "--master",
    metavar="URL",
    help="Of Spark: local[4], spark://host:7077, yarn, or sc://host for Spark Connect; default: "
    "what spark-submit says, else this machine.",
)
def rollup(given: Input, output: Path, engine: str, master: str | None) -> None:
    """Count LOGS file by file and keep the counts, SLA and SLO objectives included.

    Build, check and gates then take --from-rollups instead of LOGS, and need no log again.
    """
    from gonogo import pipeline
    from gonogo.progress import open_progress

    with open_progress(quiet=given.quiet) as progress:
        rolled = pipeline.roll_up(given.request, output, progress, engine, master)
    made = _files(rolled.files if engine == "spark" and rolled.made else len(rolled.made))
    console.text(f"{output}: {made} counted, {len(rolled.unchanged)} unchanged\n")


@click.command(
    context_settings=SETTINGS,
    short_help="Put several folders of rollups into one.",
    epilog="\b\nExample:\n  gonogo merge monday/ tuesday/ -o rollups/\n\n"
    "For files that were rolled up on several machines; merging changes no SLA or SLO verdict.",
)
@click.argument("rollups", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the merged rollups.",
)
@debug_option
def merge(rollups: tuple[Path, ...], output: Path) -> None:
    """Put the entries of several folders of ROLLUPS into one folder, each file once.

    They must have been made with the same SLA and SLO thresholds and prices.
    """
    from gonogo import stored

    console.text(f"{output}: {_files(stored.combine(rollups, output))}\n")


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"
