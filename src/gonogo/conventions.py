"""Every name and constant that more than one module must agree on; names only, no logic.

Field names follow the OpenTelemetry GenAI semantic conventions where those have a word
(https://opentelemetry.io/docs/specs/semconv/gen-ai/); service-level words follow the SRE workbook
(https://sre.google/workbook/implementing-slos/).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

RESULT_SCHEMA_VERSION: Final = 1
SEMANTIC_CONVENTIONS_VERSION: Final = "1.41"
"""The newest OpenTelemetry GenAI conventions whose names are known (gonogo.adapters.dialect)."""

ROLLUP_SCHEMA_VERSION: Final = 6

BIN_SECONDS: Final = 300
"""Width of a time bin. Every time zone's hours and days start on a multiple of it."""

HISTOGRAM_SCALE: Final = 7
"""Base-2 exponential histograms: 128 buckets an octave, so a bucket's ends are 0.54 % apart."""

DIMENSIONS: Final = (
    "service",
    "environment",
    "release",
    "prompt_version",
    "operation",
    "provider",
    "model",
)
"""Low-cardinality dimensions: counted in their observed cross, with histograms per day."""

WIDE_DIMENSIONS: Final = ("tenant_id",)
"""Dimensions with many values: counted on their own, per day, without a histogram."""

OTHER: Final = "(other)"
UNKNOWN: Final = "(not logged)"


class Status(StrEnum):
    """Status of an objective, worst first."""

    BREACHED = "BREACHED"
    NO_DATA = "NO_DATA"
    AT_RISK = "AT_RISK"
    MET = "MET"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Verdict(StrEnum):
    """The decision."""

    NO_GO = "NO-GO"
    INCONCLUSIVE = "INCONCLUSIVE"
    CONDITIONS = "GO WITH CONDITIONS"
    GO = "GO"


class Severity(StrEnum):
    """What an objective's failure does: block the verdict, warn, or only inform."""

    BLOCKING = "blocking"
    WARNING = "warning"
    INFORMATIONAL = "informational"


class ChangeWord(StrEnum):
    """What a comparison says of a figure, worst first; the sentences of a benchmark that has to
    say when it cannot tell (https://bheisler.github.io/criterion.rs/book/analysis.html)."""

    WORSE = "worse"
    TOO_FEW = "too few calls to tell"
    NOT_COMPARED = "not compared"
    BETTER = "better"
    NO_CHANGE = "no change"


class Source(StrEnum):
    """Where a threshold comes from."""

    DEFAULT = "default"
    PROPOSED = "proposed"
    WRITTEN = "written"


class Evidence(StrEnum):
    """How a statement is known: from the logs, from a result file, or from somebody's word."""

    MEASURED = "measured"
    FILE = "file"
    DECLARED = "declared"


class ErrorClass(StrEnum):
    """Classes of failed calls; a guardrail block is not among them."""

    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    AUTH = "auth"
    INVALID_REQUEST = "invalid_request"
    CONTEXT_LENGTH = "context_length"
    SERVER_ERROR = "server_error"
    CONNECTION = "connection"
    OTHER = "other"


EXIT_OK: Final = 0
EXIT_NO_GO: Final = 1
EXIT_USAGE: Final = 2
EXIT_INCONCLUSIVE: Final = 3
EXIT_INPUT: Final = 4
EXIT_INTERNAL: Final = 70

PUBLIC: Final = "public"
INTERNAL: Final = "internal"
PUBLISHABLE: Final = (
    "tenants",
    "users",
    "sessions",
    "reviewers",
    "error_messages",
    "chunks",
    "paths",
)
"""What `[site] publish` may open by name under the public profile."""

SMALL_CELL: Final = 10
"""Under the public profile a person-like value with fewer calls than this merges into (other)."""

OTHER_UNITS: Final = ("_s", "_us", "_ns")
"""Units in which [fields] may name a duration, beside milliseconds, as in latency_s."""

NOT_READ: Final = "I038"
"""The code of what is said where fields are missing and others are not read."""
