"""`readiness.toml` to a Config: everything that is wrong with the file is said at once."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any, Final
from zoneinfo import available_timezones

from gonogo.config.burn import budget_window, read_burn_rates
from gonogo.config.compare import read_compare
from gonogo.config.costs import read_cost, read_prices
from gonogo.config.expressions import (
    SELECTOR_SYNONYMS,
    ExpressionError,
    parse_key,
    parse_objective,
    selector_keys,
)
from gonogo.config.gates import read_gates
from gonogo.config.keys import (
    CANONICAL_FIELDS,
    FIELD_SYNONYMS,
    KEY_SYNONYMS,
    MINIMUM_MAXIMUM,
    NOT_APPLICABLE_SYNONYMS,
    OBJECTIVE_KEYS,
    REQUIRED_FIELDS,
    RESERVED,
    SECTIONS,
    SETTINGS,
    TABLES,
    TOP_MAXIMUM,
)
from gonogo.config.logs import read_mappings
from gonogo.config.messages import did_you_mean, nearest, quoted
from gonogo.config.model import Config, CostPlan, Objective
from gonogo.config.positions import Path as KeyPath
from gonogo.config.positions import scan
from gonogo.config.section import Problems, Section, kind_of, path_text
from gonogo.config.sections import read_exclusions, read_site, usable_link
from gonogo.config.slices import Wanted, on_slices, read_slices
from gonogo.config.tables import read_ratio
from gonogo.config.waivers import read_waiver
from gonogo.conventions import Severity, Source
from gonogo.errors import ConfigError, Diagnostic
from gonogo.indicators import DEFAULT_OBJECTIVES, INDICATORS

_LARGEST_FILE: Final = 1_000_000
_HASH_LENGTH: Final = 16
_DEFAULTS: Final = Config()
_WHERE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")
_FIELD_PATH = re.compile(r"[^.\s](?:[^.]*[^.\s])?(?:\.[^.\s](?:[^.]*[^.\s])?)*")


def default_config() -> Config:
    """What holds where there is no file: the default objectives, marked as defaults."""
    return Config(objectives=_default_objectives())


def _default_objectives() -> tuple[Objective, ...]:
    return tuple(
        parse_objective(key, limit, source=Source.DEFAULT) for key, limit in DEFAULT_OBJECTIVES
    )


def load(path: Path) -> Config:
    """Read and check a configuration file.

    Raises ConfigError with one Diagnostic for every problem, in the order of the file, each with
    `file:line:column` (the file as it was given). The Config itself keeps the file's name only,
    since what it says may be published. A file without objectives keeps the default ones.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _unreadable(path, "the file is larger than a configuration can be")
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, _reason(error)) from None
    problems = Problems(str(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _not_utf8(data, error, problems)
        problems.raise_all()
        raise
    table = _parse(text, problems)
    config = _Loader(problems, table, path.name).config(hashlib.sha256(data).hexdigest())
    problems.raise_all()
    return replace(config, content=_content(table))


def _unreadable(path: Path, what: str) -> ConfigError:
    hint = "gonogo init writes a first one"
    return ConfigError((Diagnostic("C001", str(path), what, hint),))


def _reason(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "this is a folder, not a file"
    if isinstance(error, PermissionError):
        return "the file may not be read (permission denied)"
    return f"the file cannot be read ({error.strerror or type(error).__name__})"


def _not_utf8(data: bytes, error: UnicodeDecodeError, problems: Problems) -> None:
    before = data[: error.start]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    what = f"byte 0x{data[error.start]:02x} is not UTF-8"
    problems.add_at((line, column), "C002", what, "save the file as UTF-8")


def _parse(text: str, problems: Problems) -> dict[str, Any]:
    """The document with exact numbers; raises ConfigError where the text is not TOML."""
    problems.positions = scan(text)
    try:
        return tomllib.loads(text, parse_float=_decimal)
    except RecursionError:
        problems.add_at((1, 1), "C003", "the file is nested too deeply to be read")
    except ValueError as error:  # TOMLDecodeError, and Python's own limit on the length of numbers
        _not_toml(text, str(error), problems)
    problems.raise_all()
    raise AssertionError("unreachable: a problem was noted above")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what a Decimal can hold
        return Decimal("nan")


def _not_toml(text: str, message: str, problems: Problems) -> None:
    twice = problems.positions.duplicates
    if twice:
        for path, first, again in twice:
            what = f"{path_text(path)} is written twice, first at {problems.where(first)}"
            hint = "keep one of the two"
            problems.add_at(again, "C004", what, hint)
        return
    lines = text.replace("\r\n", "\n").split("\n")
    match = _WHERE.search(message)
    line, column = len(lines), len(lines[-1]) + 1
    if match is not None and match[1]:
        line, column = int(match[1]), int(match[2])
    said = _WHERE.sub("", message) if match else "a number is too long to be read"
    source = lines[line - 1] if line <= len(lines) else ""
    problems.add_at((line, column), "C003", f"not TOML: {said[:1].lower()}{said[1:]}", _tip(source))


def _tip(line: str) -> str:
    key, equals, value = line.partition("=")
    if re.match(r"""\s*[^"'#\[\s][^"'=]*[{*%]""", line):
        return 'write such a name in quotes: "error_rate{model=gpt-4o*}"'
    if equals and re.match(r"\s*[<>≤≥=A-Za-z$]", value):
        return f'write the text in quotes: {key.strip()} = "{value.strip(" =")}"'
    return ""


class _Loader:
    """One document on its way to a Config."""

    def __init__(self, problems: Problems, table: dict[str, Any], name: str) -> None:
        self.problems = problems
        self.root = Section(problems, (), table)
        self.name = name

    def config(self, sha256: str) -> Config:
        self.top_level()
        zone = self.zone()
        objectives = self.objectives()
        coverage, top = self.coverage(), self.root.integer("top", 1, TOP_MAXIMUM)
        return Config(
            path=self.name,
            sha256=sha256,
            timezone=zone,
            objectives=objectives or _default_objectives(),
            objectives_source=_overall_source(objectives),
            minimum_coverage=_DEFAULTS.minimum_coverage if coverage is None else coverage,
            fields=self.fields(),
            exclusions=read_exclusions(self.root, zone),
            not_applicable=self.not_applicable(),
            top=_DEFAULTS.top if top is None else top,
            site=read_site(self.root),
            gates=read_gates(self.root),
            prices=read_prices(self.root, zone),
            cost=self.plan(objectives),
            compare=read_compare(self.root),
            mappings=read_mappings(self.root),
            burn_rates=read_burn_rates(self.root),
        )

    def plan(self, objectives: tuple[Objective, ...]) -> CostPlan:
        found = read_cost(self.root)
        for objective in objectives:
            if objective.statistic == "monthly_at_target" and found.calls_per_day is None:
                what = "no target is stated that a month could be projected to"
                hint = "add calls_per_day = 100000 under [cost]"
                key = next(k for k in self.table("slo") if parse_key(k).id == objective.id)
                self.problems.add(("slo", key), "C053", what, hint)
        return found

    def top_level(self) -> None:
        allowed = (*SETTINGS, *SECTIONS)
        for key in self.root.table:
            if key in RESERVED:
                what = "this version of gonogo does not read it"
                hint = f"it reads {', '.join(SECTIONS)}"
                self.problems.add((key,), "C006", what, hint)
            elif key not in allowed:
                hint = did_you_mean(key, allowed, KEY_SYNONYMS)
                if re.split(r"[.{]", key)[0] in INDICATORS:
                    hint = "objectives stand in the section [slo]"
                self.problems.add((key,), "C005", "unknown key", hint)

    def zone(self) -> str:
        name = self.root.text("timezone")
        if name is None or name == "UTC":
            return "UTC"
        known = available_timezones() - {"localtime", "Factory"}
        if name in known:
            return name
        cities = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known, reverse=True)}
        city = cities.get(name.rpartition("/")[2].strip().lower().replace(" ", "_"))
        near = city or nearest(name, sorted(known))
        hint = f"did you mean '{near}'?" if near else "write a name such as Europe/Berlin"
        if not known:
            hint = "this computer has no time zone database: install tzdata, or write UTC"
        self.root.wrong("timezone", "C027", f"{quoted(name)} is not a known time zone", hint)
        return "UTC"

    def coverage(self) -> Fraction | None:
        return read_ratio(self.root, "minimum_coverage", example="0.5 or 50%")

    def table(self, key: str) -> dict[str, Any]:
        hint = f"write it as [{key}] with one setting a line"
        return self.root.expect(key, dict, name="a table", hint=hint) or {}

    def objectives(self) -> tuple[Objective, ...]:
        found: dict[str, Objective] = {}
        for key, value in self.table("slo").items():
            objective = self.objective(key, value)
            if objective is None:
                continue
            if objective.id in found:
                first = found[objective.id].defined_at
                what = f"the same objective as at {first}"
                self.problems.add(("slo", key), "C015", what, "keep one of the two")
            else:
                found[objective.id] = objective
        return tuple(found.values())

    def objective(self, key: str, value: Any) -> Objective | None:
        path: KeyPath = ("slo", key)
        if isinstance(value, dict) and key in INDICATORS and not set(value) & {*OBJECTIVE_KEYS}:
            inner = next(iter(value), "p95")
            what = "without quotes, TOML reads a name with a dot as tables"
            self.problems.add(path, "C011", what, f'write "{key}.{inner}" = "…"')
            return None
        if key in SETTINGS and not isinstance(value, dict):
            hint = f"write {key} above the first [section]"
            self.problems.add(path, "C005", "unknown key", hint)
            return None
        options: dict[str, Any] = {}
        source: Source = Source.WRITTEN
        slices: Wanted | None = None
        if isinstance(value, dict):
            path = (*path, "limit")
            section = Section(self.problems, path[:-1], value)
            options, source = self.options(section)
            slices = read_slices(section)
            if "limit" not in value:
                return None
            value = value["limit"]
        if not isinstance(value, str):
            self.not_a_text(path, key, value)
            return None
        line, column = self.problems.positions.at(("slo", key))
        options["defined_at"] = f"{self.name}:{line}:{column}"
        try:
            found = parse_objective(key, value, source=source, **options)
            if slices is not None and found.spec.kind == "projection":
                what = f"{found.indicator} is about a month and has no slices"
                self.problems.add((*path[:2], "slice"), "C065", what, "leave slice and slices out")
            elif slices is not None:
                found = on_slices(found, slices, options.get("minimum"))
            self.grouping(found, path)
            if "window" in options and found.target is None:
                what = (
                    f"{found.indicator}.{found.statistic} is no share of events: it has no budget"
                )
                self.problems.add((*path[:2], "window"), "C063", what, "leave the window out")
            return found
        except ExpressionError as error:
            for trouble in error.troubles:
                is_limit = trouble.part == "limit"
                at = path if is_limit else ("slo", key)
                self.problems.add(at, trouble.code, trouble.what, trouble.hint, value=is_limit)
            return None

    def grouping(self, found: Objective, path: KeyPath) -> None:
        """A dimension to group by must be one that the indicator can be selected by."""
        key = found.group_by
        if key is None:
            return
        at: KeyPath = (*path[:2], "group_by")
        allowed = selector_keys(found.spec)
        if not allowed:
            what = f"{found.indicator} is about all calls and cannot be grouped"
            self.problems.add(at, "C064", what, "leave group_by out")
        elif key not in allowed:
            what = f"{quoted(key)} is not a dimension of {found.indicator}"
            self.problems.add(
                at, "C064", what, did_you_mean(key, allowed, SELECTOR_SYNONYMS), value=True
            )

    def not_a_text(self, path: KeyPath, key: str, value: Any) -> None:
        """A threshold without quotes: a number, or one that is not even finite."""
        spec = INDICATORS.get(re.split(r"[.{]", key)[0])
        low = spec is None or spec.good_is_low
        unit = {"us": "2.5s", "ratio": "1%" if low else "90%", "nano_usd": "$0.02"}
        example = f'"{"<=" if low else ">="} {unit.get(spec.unit if spec else "us", "20")}"'
        if isinstance(value, Decimal) and not value.is_finite():
            what = f"{value} is not a number that anything can be held against"
            self.problems.add(path, "C017", what, f"write a threshold: {example}", value=True)
            return
        what = f"{kind_of(value)} stands where a threshold is expected"
        self.problems.add(path, "C007", what, f"write it as a text: {example}", value=True)

    def options(self, section: Section) -> tuple[dict[str, Any], Source]:
        """The long form of an objective, without its limit."""
        section.known(OBJECTIVE_KEYS, required=("limit",))
        severity = section.choice("severity", list(Severity), "C025")
        minimum = section.integer("minimum", 1, MINIMUM_MAXIMUM)
        window = budget_window(section, own="burn_rate" in self.root.table)
        agreed_by = section.text("agreed_by", may_be_empty=True)
        proposed = section.flag("proposed") or agreed_by == ""
        options: dict[str, Any] = {
            "severity": Severity(severity) if severity else Severity.BLOCKING,
            "owner": section.text("owner"),
            "runbook": usable_link(section, "runbook"),
            "agreed_by": agreed_by or None,
            "group_by": section.text("group_by"),
        }
        if minimum is not None:
            options["minimum"] = minimum
        if window is not None:
            options["window"] = window
        if "waiver" in section.table:
            options["waiver"] = read_waiver(section)
        return options, Source.PROPOSED if proposed and not agreed_by else Source.WRITTEN

    def fields(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for section, key, name in self.leaves("fields", CANONICAL_FIELDS):
            if name not in CANONICAL_FIELDS:
                hint = did_you_mean(name, CANONICAL_FIELDS, FIELD_SYNONYMS)
                what = f"{quoted(name)} is not a field of the log line"
                section.wrong(key, "C028", what, hint, at_key=True)
            value = section.text(key)
            if value is not None and not _FIELD_PATH.fullmatch(value):
                what = f"{quoted(value)} is not a dotted path"
                section.wrong(key, "C029", what, 'write it as "attributes.usage.input"')
            elif value is not None and "." in name and "." not in value:
                what = f"{quoted(value)} is a member of the line, and {name} one of an item in it"
                hint = f'name both, as in "{value}.{name.rpartition(".")[2]}"'
                section.wrong(key, "C029", what, hint)
            if value is not None:
                found[name] = value
        return found

    def not_applicable(self) -> dict[str, str]:
        found: dict[str, str] = {}
        allowed = (*TABLES, *REQUIRED_FIELDS)
        for section, key, name in self.leaves("not_applicable", allowed):
            if name not in allowed:
                what = f"{quoted(name)} is neither a table nor a required field"
                hint = did_you_mean(name, allowed, NOT_APPLICABLE_SYNONYMS)
                section.wrong(key, "C032", what, hint, at_key=True)
            value = section.text(key)
            if value is not None:
                found[name] = value
        return found

    def leaves(self, key: str, allowed: tuple[str, ...]) -> list[tuple[Section, str, str]]:
        """(table, key in it, full name) of `retrieval.hit = …`, be the name quoted or not."""
        outer = Section(self.problems, (key,), self.table(key))
        found: list[tuple[Section, str, str]] = []
        for name, value in outer.table.items():
            if isinstance(value, dict) and any(a.startswith(f"{name}.") for a in allowed):
                inner = Section(self.problems, (key, name), value)
                found += [(inner, part, f"{name}.{part}") for part in value]
            else:
                found.append((outer, name, name))
        seen: set[str] = set()
        for section, part, name in found:
            if name in seen:
                hint = "keep one of the two"
                section.wrong(part, "C004", f"{quoted(name)} is written twice", hint, at_key=True)
            seen.add(name)
        return found


def _content(table: dict[str, Any]) -> str:
    """Hash of what is configured, without the sign-offs (they hold it) and the look of the site.

    Comments, blanks and the order of keys do not matter.
    """
    judged = {key: value for key, value in table.items() if key not in ("signoff", "site")}
    text = json.dumps(judged, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]


def _overall_source(objectives: tuple[Objective, ...]) -> Source:
    """Written only where every objective is: one proposal left makes the whole a proposal."""
    if not objectives:
        return Source.DEFAULT
    proposed = any(objective.source is Source.PROPOSED for objective in objectives)
    return Source.PROPOSED if proposed else Source.WRITTEN
