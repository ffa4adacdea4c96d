"""Options that several commands share, and what commands get of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gonogo.conventions import INTERNAL, PUBLIC

if TYPE_CHECKING:
    from gonogo.pipeline import Request

SETTINGS: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
"""Of each command, as click takes them."""
DEFAULT_CONFIG: Final = "readiness.toml"
DEBUG: Final = "gonogo.debug"


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.meta[DEBUG] = value or ctx.meta.get(DEBUG, False)


debug_option = click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_debug,
    help="Show where in the program an internal error happened.",
)


@dataclass(frozen=True)
class Input:
    """What every command that reads logs was asked for."""

    request: Request
    quiet: bool


class Repeatable(click.Option):
    """An option that can be repeated: its variable has a value a line, or words on one line."""

    def value_from_envvar(self, ctx: click.Context) -> tuple[str, ...] | None:
        told = self.resolve_envvar_value(ctx)
        if told is None:
            return None
        lines = (line.strip() for line in told.splitlines())
        return tuple(line for line in lines if line) if "\n" in told else tuple(told.split())


def _key_value(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        if not value.partition("=")[0].strip() or "=" not in value:
            raise click.BadParameter(f"{value!r} is not of the form KEY=VALUE")
    return values


def _shared(name: str, *more: str, **settings: Any) -> Callable[[Any], Any]:
    """An option of several commands: GONOGO_<NAME> sets it in all of them."""
    variable = "GONOGO_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, *more, envvar=variable, **settings)


_INPUT_OPTIONS: Final = (
    click.argument("logs", nargs=-1),
    _shared(
        "--config",
        "-c",
        type=click.Path(path_type=Path),
        help="Thresholds (SLA, SLO) and settings; default: readiness.toml here, if there is one.",
    ),
    _shared(
        "--period",
        metavar="WEEK|FROM..TO",
        help="last-week, 2026-W47 or 2026-11-16..2026-11-23; default: everything in the logs.",
    ),
    _shared(
        "--where",
        cls=Repeatable,
        multiple=True,
        metavar="KEY=VALUE",
        callback=_key_value,
        help="Only calls with this value, such as environment=production; repeatable.",
    ),
    _shared(
        "--profile",
        type=click.Choice([PUBLIC, INTERNAL]),
        default=PUBLIC,
        show_default=True,
        help="public hides ids, messages and paths; internal shows them. Texts never appear.",
    ),
    _shared(
        "--as-of", metavar="TIME", help="The present, for what expires; default: the logs' end."
    ),
    _shared(
        "--state",
        type=click.Path(path_type=Path, file_okay=False),
        help="Where rollups and the id key are kept, never published; default: .gonogo/.",
    ),
    _shared(
        "--sampling-rate",
        metavar="SHARE",
        help="The share of the traffic that was logged, such as 0.1 or 10%; scales the cost.",
    ),
    _shared(
        "--invoice",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE.csv",
        help="The provider's bill (date or month, model, amount) to hold the cost against.",
    ),
    _shared("--quiet", "-q", is_flag=True, help="No progress; the verdict in one line."),
    debug_option,
)
_FORMAT_HELP: Final = (
    "What the logs are, where it is not told by itself: native, otlp, litellm, langfuse and so on, "
    "or a mapping file (mine.toml); before [logs] of the configuration."
)


def reads_logs(
    command: Callable[..., None], *, format_names: tuple[str, ...] = ("--log-format", "--format")
) -> Callable[..., None]:
    """LOGS and the options that say which of them count; the command gets them as one `Input`."""
    log_format = _shared(*format_names, metavar="FORMAT", help=_FORMAT_HELP)

    @wraps(command)
    def call(
        *,
        logs: tuple[str, ...],
        config: Path | None,
        period: str | None,
        where: tuple[str, ...],
        profile: str,
        as_of: str | None,
        state: Path | None,
        log_format: str | None,
        sampling_rate: str | None,
        invoice: Path | None,
        quiet: bool,
        **own: Any,
    ) -> None:
        from gonogo.pipeline import Request

        if bool(logs) == (own.get("from_rollups") is not None):
            told = "give either LOGS or --from-rollups" if logs else "Missing argument 'LOGS...'."
            raise click.UsageError(told)
        default = Path(DEFAULT_CONFIG)
        request = Request(
            logs=logs,
            config_path=config or (default if default.is_file() else None),
            period=period,
            where=where,
            profile=profile,
            as_of=as_of,
            state=state,
            log_format=log_format,
            sampling_rate=sampling_rate,
            invoice=invoice,
        )
        command(Input(request, quiet), **own)

    return _with((*_INPUT_OPTIONS, log_format), call)


# There, --format already says what to write.
reads_logs_of_check = partial(reads_logs, format_names=("--log-format",))


_GATE_OPTIONS: Final = (
    _shared("--strict", is_flag=True, help="GO WITH CONDITIONS exits with 1 instead of 0."),
    _shared("--allow-inconclusive", is_flag=True, help="INCONCLUSIVE exits with 0 instead of 3."),
)


def writes_into(folder: str, told: str) -> Callable[[Any], Any]:
    """The option --output: a folder, and what `told` says of it."""
    return click.option(
        "--output",
        "-o",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(folder),
        show_default=True,
        help=told,
    )


def passes(command: Callable[..., None]) -> Callable[..., None]:
    """The two options that say which verdicts let a pipeline pass."""
    return _with(_GATE_OPTIONS, command)


def takes_evals(command: Callable[..., None]) -> Callable[..., None]:
    """The option --evals; its files become part of the request."""

    @wraps(command)
    def call(given: Input, *, evals: tuple[Path, ...], **own: Any) -> None:
        if evals:
            given = replace(given, request=replace(given.request, evals=evals))
        command(given, **own)

    option = _shared(
        "--evals",
        cls=Repeatable,
        multiple=True,
        type=click.Path(path_type=Path, dir_okay=False),
        help="Results of a golden set, beside those that [evals] names; repeatable.",
    )
    return _with((option,), call)


def takes_rollups(command: Callable[..., None]) -> Callable[..., None]:
    """The option --from-rollups, in place of logs."""

    @wraps(command)
    def call(given: Input, *, from_rollups: Path | None, **own: Any) -> None:
        if from_rollups is not None:
            given = replace(given, request=replace(given.request, rollups=from_rollups))
        command(given, **own)

    option = _shared(
        "--from-rollups",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Judge what gonogo rollup has counted already, in place of LOGS.",
    )
    return _with((option,), call)


def compares(command: Callable[..., None]) -> Callable[..., None]:
    """The options --baseline and --compare; they become part of the request."""

    @wraps(command)
    def call(given: Input, *, baseline: Path | None, compare: tuple[str, ...], **own: Any) -> None:
        if baseline or compare:
            given = replace(
                given, request=replace(given.request, baseline=baseline, compare=compare)
            )
        command(given, **own)

    return _with(_COMPARE_OPTIONS, call)


_COMPARE_OPTIONS: Final = (
    _shared(
        "--baseline",
        type=click.Path(path_type=Path),
        metavar="DIR|FILE",
        help="Compare with an earlier period: its readiness.json, site or state folder.",
    ),
    _shared(
        "--compare",
        cls=Repeatable,
        multiple=True,
        metavar="KEY=NEW..OLD",
        help="Compare parts of the log: release=2026.47..2026.46, or provider=acme for acme "
        "against all others; repeatable.",
    ),
)


def _with(
    options: Iterable[Callable[[Any], Any]], command: Callable[..., None]
) -> Callable[..., None]:
    for option in reversed(tuple(options)):
        command = option(command)
    return command


def presents(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say how a site is put before its readers; the command gets them as `how`."""
    templates = _shared(
        "--templates",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Templates and assets of your own in place of the built-in ones of the same name.",
    )
    single = _shared(
        "--single-file",
        type=click.Path(path_type=Path),
        metavar="FILE.html",
        help="Also write the whole site as this one HTML file, for an e-mail or an incident.",
    )

    @wraps(command)
    def call(*given: Any, templates: Path | None, single_file: Path | None, **own: Any) -> None:
        from gonogo.publish import Presentation

        command(*given, how=Presentation(templates, single_file), **own)

    return _with((templates, single), call)


def draws(command: Callable[..., None]) -> Callable[..., None]:
    """The renderers of charts start first: they take as long as everything else takes to import."""

    @wraps(command)
    def call(**given: Any) -> None:
        from gonogo.vega import workers

        workers.start()
        command(**given)

    return call
