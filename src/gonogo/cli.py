"""The command line: parse, call, print, exit.

Data goes to stdout, everything else to stderr. Exit codes: 0 GO and GO WITH CONDITIONS (1 under
--strict), 1 NO-GO, 2 usage or configuration, 3 INCONCLUSIVE (0 under --allow-inconclusive),
4 no usable input, 70 internal error, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gonogo import console
from gonogo.automation import (
    FORMATS,
    ci,
    completion,
    config_diff,
    exit_code,
    merge,
    rendered,
    report,
    rollup,
)
from gonogo.conventions import EXIT_INTERNAL, EXIT_OK
from gonogo.errors import Diagnostic, GonogoError, InputError, UsageError
from gonogo.oncall import incident
from gonogo.options import (
    DEBUG,
    DEFAULT_CONFIG,
    SETTINGS,
    Input,
    compares,
    debug_option,
    draws,
    passes,
    presents,
    reads_logs,
    reads_logs_of_check,
    takes_evals,
    takes_rollups,
    writes_into,
)

if TYPE_CHECKING:
    from gonogo.publish import Presentation
    from gonogo.results import Decision, ReadinessResult

_EXIT_INTERRUPTED: Final = 130
_COLLECTED_AFTER: Final = (100_000, 20, 20)
"""Objects, and collections of younger ones, after which the collector goes through a generation."""


class Program(click.Group):
    """The group of commands; every way in which one can end passes through here."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        # Nearly all that a run makes is there until it ends, modules before anything else: at
        # Python's own thresholds the collector goes through it dozens of times and frees nothing.
        gc.set_threshold(*_COLLECTED_AFTER)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            console.say("interrupted; what was there before is unchanged")
            ctx.exit(_EXIT_INTERRUPTED)
        except GonogoError as error:
            console.report(error)
            ctx.exit(error.exit_code)
        except OSError as error:
            refusal = console.no_place(error)
            if refusal is None:
                console.internal(error, with_traceback=ctx.meta.get(DEBUG, False))
                ctx.exit(EXIT_INTERNAL)
            console.report(refusal)
            ctx.exit(refusal.exit_code)
        except Exception as error:
            console.internal(error, with_traceback=ctx.meta.get(DEBUG, False))
            ctx.exit(EXIT_INTERNAL)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    """Print the versions and end."""
    if value and not ctx.resilient_parsing:
        from gonogo.versions import versions

        console.text(versions())
        ctx.exit()


@click.group(
    cls=Program,
    context_settings={**SETTINGS, "auto_envvar_prefix": "GONOGO"},
    epilog="\b\nStart here:\n  gonogo build logs/ -o site/     a site and a verdict\n"
    "  gonogo check logs/              the verdict alone, for CI\n\n"
    "Environment variables set options: GONOGO_PROFILE, GONOGO_STRICT and the like where several "
    "commands share one, GONOGO_BUILD_OUTPUT where one command has it.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version, and those of the data that verdicts rest on.",
)
@debug_option
def main() -> None:
    """Trace logs of an LLM application in, a readiness verdict and a static site out.

    Each objective is an SLA or SLO threshold on latency, errors, guardrails, retrieval, tools or
    cost, written in readiness.toml. Without one, default thresholds apply and the report says so.
    """


@main.command(
    context_settings=SETTINGS,
    short_help="Build the site and the verdict from LOGS.",
    epilog="\b\nExamples:\n  gonogo build logs/ -o site/\n"
    "  gonogo build 'logs/*.jsonl.gz' -o public/ --period last-week --state state/\n"
    "  gonogo build export.parquet -o site/ --where environment=production --profile internal\n"
    "  gonogo build logs/ -o site/ --baseline last-week/readiness.json\n"
    "  gonogo build logs/ -o site/ --single-file readiness.html\n\n"
    "The site is written first; a failing verdict fails last, with exit code 1. With --period the\n"
    "site keeps every period in a folder of its own, below a page that compares them.",
)
@draws
@reads_logs
@writes_into("site", "Folder of the site; what was there stays until the new one is whole.")
@takes_rollups
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --period: publish the newest N periods; older ones stay in the state.",
)
@click.option(
    "--catch-up",
    type=click.IntRange(min=0, max=53),
    default=0,
    metavar="N",
    help="With --period: look at the N weeks before too, for missed weeks and late records.",
)
@click.option(
    "--exit-zero",
    is_flag=True,
    help="Exit with 0 whatever the verdict is, also without usable logs; publish now, fail later.",
)
@takes_evals
@compares
@passes
@presents
def build(
    given: Input,
    output: Path,
    keep: int | None,
    catch_up: int,
    exit_zero: bool,
    strict: bool,
    allow_inconclusive: bool,
    how: Presentation,
) -> None:
    """Build the site, readiness.json and the breach summary from LOGS, and judge them.

    LOGS are files, folders, globs or - for stdin: JSON lines (plain, .gz, .zst) or Parquet, of
    gonogo's own shape or as tracers and gateways export them (OTLP, LiteLLM, Langfuse and more).
    The verdict says whether each SLA or SLO threshold was met.
    """
    from gonogo import pipeline
    from gonogo.progress import open_progress

    try:
        with open_progress(quiet=given.quiet) as progress:
            request = given.request
            result = pipeline.build(request, output, progress, how, keep=keep, catch_up=catch_up)
    except InputError as error:
        if not exit_zero:
            raise
        console.report(error)
        _exit(EXIT_OK)
    _show(result, result.readiness, quiet=given.quiet, site=str(output / "index.html"))
    code = exit_code(result.readiness.verdict, strict=strict, allow_inconclusive=allow_inconclusive)
    _exit(EXIT_OK if exit_zero else code)


@main.command(
    context_settings=SETTINGS,
    short_help="The verdict alone, in the terminal or for CI.",
    epilog="\b\nExamples:\n  gonogo check logs/ --strict\n"
    "  gonogo check logs/ --slo-only --format junit > slo.xml\n"
    "  gonogo check logs/ --format github      annotations in GitHub Actions\n"
    "  zcat calls.jsonl.gz | gonogo check - --format markdown >> $GITHUB_STEP_SUMMARY\n\n"
    "\b\nExit codes: 0 GO and GO WITH CONDITIONS (1 under --strict), 1 NO-GO, 2 usage or\n"
    "configuration, 3 INCONCLUSIVE, 4 no usable logs, 70 internal error.",
)
@reads_logs_of_check
@click.option(
    "--format",
    "form",
    envvar="GONOGO_CHECK_FORMAT",
    type=click.Choice(["text", *FORMATS]),
    default="text",
    show_default=True,
    help="What to write to stdout; json is the whole result.",
)
@click.option("--slo-only", is_flag=True, help="Judge the objectives (SLO) without the gates.")
@takes_rollups
@takes_evals
@compares
@passes
def check(given: Input, form: str, slo_only: bool, strict: bool, allow_inconclusive: bool) -> None:
    """Judge LOGS against the SLA and SLO thresholds and write no site: the gate for CI."""
    from gonogo import pipeline
    from gonogo.progress import open_progress

    with open_progress(quiet=given.quiet) as progress:
        result = pipeline.analyse(given.request, progress, verdict_only=form == "text")
    decision = result.slo if slo_only else result.readiness
    if form == "text":
        _show(result, decision, quiet=given.quiet)
    else:
        console.data(rendered(result, decision, form))
    _exit(exit_code(decision.verdict, strict=strict, allow_inconclusive=allow_inconclusive))


main.add_command(incident)


@main.command(
    context_settings=SETTINGS,
    short_help="The checklist: every gate, its evidence and what is missing.",
    epilog="\b\nExamples:\n  gonogo gates logs/\n"
    "  gonogo gates logs/ --evals golden/results.json\n\n"
    "Exits with 0 whatever it finds; gonogo check decides.",
)
@reads_logs
@takes_rollups
@takes_evals
def gates(given: Input) -> None:
    """Print the gates of readiness: their evidence, who gave it, what is missing, what to do.

    Also the hash of the configuration, which sign-offs are bound to. SLA and SLO thresholds are
    judged by gonogo check.
    """
    from gonogo import pipeline
    from gonogo.exports.checklist import checklist
    from gonogo.progress import open_progress

    with open_progress(quiet=given.quiet) as progress:
        result = pipeline.analyse(given.request, progress, verdict_only=True)
    width, color = _terminal()
    console.text(checklist(result, width=width, color=color))


@main.command(
    context_settings=SETTINGS,
    short_help="Write a first readiness.toml from LOGS.",
    epilog="\b\nExamples:\n  gonogo init logs/\n  gonogo init logs/ -o - | less\n\n"
    "The thresholds stay 'proposed' until agreed_by names who agreed to them.",
)
@reads_logs
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=Path(DEFAULT_CONFIG),
    show_default=True,
    help="File to write; - is stdout.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def init(given: Input, output: Path, force: bool) -> None:
    """Write a commented readiness.toml, its SLA and SLO thresholds proposed from LOGS.

    Of the configuration in use all is kept as it is written there, but for [slo].
    """
    to_stdout = str(output) == "-"
    if not to_stdout and output.exists() and not force:
        hint = f"{_forced(given.request.config_path)}; -o writes elsewhere"
        raise UsageError((Diagnostic("U011", str(output), "the file is there already", hint),))
    from gonogo import pipeline
    from gonogo.config.carry import Kept, read_kept
    from gonogo.config.init import render_init
    from gonogo.progress import open_progress

    with open_progress(quiet=given.quiet) as progress:
        result = pipeline.analyse(given.request, progress, verdict_only=True)
    if not result.ingest.calls:
        hint = "gonogo inspect shows what was read"
        raise InputError((Diagnostic("I023", "", "no calls to propose thresholds from", hint),))
    used = given.request.config_path
    kept = read_kept(used) if used else Kept()
    text = render_init(result, kept)
    if to_stdout:
        console.data(text)
        return
    console.save(output, text)
    if not given.quiet:
        if kept.names:
            console.say(f"kept of {used}: {', '.join(kept.names)}")
        if used and kept.names and used.parent.resolve() != output.parent.resolve():
            console.say(f"paths in it are relative to {output}: mend those written for {used}")
        console.say(f"wrote {output}; gonogo check uses it from now on")


def _forced(used: Path | None) -> str:
    """What --force does to a file that is there."""
    if used is None:
        return "--force replaces it"
    return f"--force proposes [slo] anew and keeps all else that {used} says"


@main.command(
    context_settings=SETTINGS,
    short_help="Say what LOGS are and which fields they have.",
    epilog="\b\nExamples:\n  gonogo inspect logs/calls.jsonl\n"
    "  head -1000 big.jsonl | gonogo inspect -",
)
@reads_logs
def inspect(given: Input) -> None:
    """Say what LOGS are: format, fields found, missing and not read, sample rows.

    Judges no SLA or SLO. A pipe is read once, so fields that nothing reads are not named there.
    """
    from gonogo import inspection
    from gonogo.privacy import printable_line

    lines = inspection.inspect(given.request).lines()
    console.text("".join(f"{printable_line(line)}\n" for line in lines))


@main.command(
    context_settings=SETTINGS,
    short_help="Make the site again from a readiness.json.",
    epilog="\b\nExample:\n  gonogo render site/readiness.json -o again/\n\n"
    "The same result gives the same site, byte for byte; the logs are not needed.",
)
@click.argument("result", type=click.Path(path_type=Path))
@writes_into("site", "Folder of the site.")
@presents
@click.option("--quiet", "-q", envvar="GONOGO_QUIET", is_flag=True, help="The verdict in one line.")
@debug_option
def render(result: Path, output: Path, quiet: bool, how: Presentation) -> None:
    """Make the site again from a saved RESULT (readiness.json), SLA and SLO verdicts as they were.

    Exits with 0 whatever the verdict is: it was judged when the result was made.
    """
    from gonogo import pipeline

    saved = pipeline.render(result, output, how)
    _show(saved, saved.readiness, quiet=quiet, site=str(output / "index.html"))


@main.command(
    context_settings=SETTINGS,
    short_help="Explain a diagnostic CODE.",
    epilog="\b\nExamples:\n  gonogo explain C005\n  gonogo explain\n\n"
    "Codes stand at the end of each message, also of those about an SLA or SLO threshold.",
)
@click.argument("code", required=False)
@debug_option
def explain(code: str | None) -> None:
    """Explain a diagnostic CODE at length; without one, list them all."""
    from gonogo.explain import CODES
    from gonogo.explain import explain as explanation

    if code is None:
        console.text("".join(f"{known}  {CODES[known].title}\n" for known in sorted(CODES)))
    else:
        console.text(explanation(code))


@main.command(
    context_settings=SETTINGS,
    short_help="Print a JSON Schema.",
    epilog="\b\nExamples:\n  gonogo schema > readiness.schema.json\n"
    "  gonogo schema config > config.schema.json",
)
@click.argument("what", type=click.Choice(["result", "config"]), default="result")
@debug_option
def schema(what: str) -> None:
    """Print the JSON Schema of readiness.json, or of readiness.toml with its SLA and SLO keys."""
    if what == "config":
        import json

        from gonogo.config.schema import config_schema

        console.data(json.dumps(config_schema(), indent=2, sort_keys=True) + "\n")
    else:
        from gonogo.exports.schema import schema_json

        console.data(schema_json())


for command in (rollup, merge, report, ci, config_diff, completion):
    main.add_command(command)


def _show(result: ReadinessResult, decision: Decision, *, quiet: bool, site: str = "") -> None:
    from gonogo.exports.terminal import report, verdict_line

    if quiet:
        console.text(verdict_line(result, decision) + "\n")
        return
    width, color = _terminal()
    console.text(report(result, decision, width=width, color=color, site=site))


def _terminal() -> tuple[int, bool]:
    """Columns of the terminal, and whether colours may be used."""
    is_terminal = sys.stdout.isatty()
    color = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return console.width(is_terminal), color


def _exit(code: int) -> None:
    click.get_current_context().exit(code)
