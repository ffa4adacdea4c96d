"""What may leave the machine: secrets scrubbed, ids as keyed hashes, labels made safe to print.

The patterns are data. Each either fails within a bounded number of characters or consumes what it
has read (possessive quantifiers), so that scrubbing takes linear time whatever the log holds.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from gonogo.conventions import OTHER, PUBLIC, SMALL_CELL, UNKNOWN
from gonogo.errors import Diagnostic, UsageError
from gonogo.results import Scalar, Table


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to remove: a pattern, what stands in its place, and where its form is described.

    A text whose lower case holds none of the `cues` cannot match (this makes scrubbing fast).
    """

    name: str
    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]
    source: str


_SECRET: Final = "[secret]"

# A token starts after something that is no letter or digit; "\n", "%3D" and "\u0022" end in one
# when the text is escaped once more than we see.
_START: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"

_KEYS: Final = (
    # cues, form of a key that is known by its prefix, who describes it
    ("sk-", r"sk-[\w-]{16,}+|sk-ant-[\w-]{8,}+", "https://platform.openai.com/docs/api-reference/"
     "authentication, https://docs.anthropic.com/en/api/getting-started"),
    ("aiza", r"AIza[\w-]{30,}+", "https://cloud.google.com/docs/authentication/api-keys"),
    ("ya29.", r"ya29\.[\w-]{8,}+", "https://developers.google.com/identity/protocols/oauth2"),
    ("gocspx-", r"GOCSPX-[\w-]{16,}+", "https://developers.google.com/identity/protocols/oauth2"),
    ("akia asia abia acca agpa aida aipa anpa anva apka aroa asca",
     r"(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|APKA|AROA|ASCA)[A-Z0-9]{16}",
     "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"),
    ("ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{20,}+",
     "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure"),
    ("github_pat_", r"github_pat_\w{20,}+",
     "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure"),
    ("glpat glptt gldt glrt glcbt glft glsoat glagent glimt glffct gloas",
     r"gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|ffct|oas)-[\w.-]{20,}+",
     "https://docs.gitlab.com/security/tokens/"),
    ("xox", r"xox[a-z][.-][\w.-]{8,}+", "https://api.slack.com/authentication/token-types"),
    ("xapp-", r"xapp-[\w-]{8,}+", "https://api.slack.com/authentication/token-types"),
    ("hf_", r"hf_[A-Za-z0-9]{20,}+", "https://huggingface.co/docs/hub/security-tokens"),
    ("k_live_ k_test_", r"[srp]k_(?:live|test)_\w{8,}+", "https://docs.stripe.com/keys"),
    ("whsec_", r"whsec_\w{16,}+", "https://docs.stripe.com/webhooks"),
    ("gsk_ fw_ r8_ jina_ sk_ tgp_v1_", r"(?:gsk|fw|r8|jina|sk|tgp_v1)_[A-Za-z0-9]{20,}+",
     "key pages of Groq, Fireworks, Replicate, Jina, ElevenLabs and Together"),
    ("xai- pplx- tvly- csk-", r"(?:xai|pplx|tvly|csk)-[A-Za-z0-9]{20,}+",
     "key pages of xAI, Perplexity, Tavily and Cerebras"),
    ("nvapi-", r"nvapi-[\w-]{20,}+", "https://docs.api.nvidia.com"),
    ("pcsk_", r"pcsk_\w{20,}+", "https://docs.pinecone.io/guides/projects/manage-api-keys"),
    ("lsv2_", r"lsv2_[a-z]{2}_\w{20,}+", "https://docs.langchain.com/langsmith"),
    ("pk-lf-", r"pk-lf-[\w-]{16,}+", "https://langfuse.com/docs"),
    ("dapi", r"dapi[0-9a-f]{32}", "https://docs.databricks.com/dev-tools/auth/pat.html"),
    ("hvs. hvb.", r"hv[sb]\.[\w-]{20,}+", "https://developer.hashicorp.com/vault/docs/concepts/tokens"),
    ("sg.", r"SG\.[\w-]{10,}+(?:\.[\w-]*+)?", "https://www.twilio.com/docs/sendgrid/ui/api-keys"),
    ("npm_", r"npm_[A-Za-z0-9]{20,}+", "https://docs.npmjs.com/about-access-tokens"),
    ("pypi-", r"pypi-[\w-]{20,}+", "https://pypi.org/help/#apitoken"),
    ("sk ac", r"(?:SK|AC)[0-9a-f]{32}", "https://www.twilio.com/docs/glossary/what-is-a-sid"),
    ("key-", r"key-[0-9a-f]{32}", "https://documentation.mailgun.com"),
    (":aa", r"[0-9]{8,10}:AA[\w-]{30,}+", "https://core.telegram.org/bots/api"),
    ("dckr_pat_ dop_v1_ lin_api_ shp", r"(?:dckr_pat|dop_v1|lin_api|shp[a-z]{2})_\w{16,}+",
     "key pages of Docker, DigitalOcean, Linear and Shopify"),
)  # fmt: skip
SECRET_FORMS: Final = tuple((tuple(cues.split()), form, source) for cues, form, source in _KEYS)
"""(cues, pattern, source) of keys that are known by their prefix, for other engines too."""

_SEPARATOR: Final = (
    r"[\\\"'\]]{0,4}(?:\s{0,4}(?::=|=>|==?|:)|\s{1,4}(?:is|was|provided)(?:\s{0,4}:|\s))\s{0,4}"
)
_VALUE: Final = r"(?:\\{0,3}\"[^\"\r\n]*+\"?|\\{0,3}'[^'\r\n]*+'?|`[^`\r\n]*+`?|[^\s,;&\"'<>`]++)"
# "[secret]: not found" is what we leave behind, and no assignment.
_NAMES: Final = (
    r"password|passwd|passphrase|pwd|(?:(?<!\[)|(?<=\w\[))secrets?|credentials?"
    r"|(?:api|access|secret|private|account|auth|encryption|signing|subscription|session|master)"
    r"[ _-]?key(?:[ _-]?id)?"
)
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})"


def _url(match: re.Match[str]) -> str:
    """Drop the user and the query of `://…`, keep host and path."""
    body = match.group()[3:]
    at = re.search(r"[?#]", body)
    authority = (body[: at.start()] if at else body).partition("/")[0]
    host, colon, port = authority.rpartition(":")
    # A raw "/" or "?" in a password cuts the authority short: then what follows ":" is no port.
    broken = colon and not port.isdigit() and not host.startswith("[")
    if "@" in (body if broken else authority):
        body = body.rpartition("@")[2] if broken else body[authority.rindex("@") + 1 :]
        at = re.search(r"[?#]", body)
    return f"://{body[: at.end()]}[query]" if at and body[at.end() :] else f"://{body}"


def _ip6(match: re.Match[str]) -> str:
    """Tell an IPv6 or MAC address from a time of day, a Rust path and other things with colons."""
    text, end = match.group(), match.end()
    if end < len(match.string) and (match.string[end].isalnum() or match.string[end] == "_"):
        return text
    groups = text.split(":")
    if len(groups) == 6 and all(len(g) == 2 for g in groups):
        return "[mac]"
    if len(groups) >= 8 or ("::" in text and any(groups)):
        return "[ip]"
    return text


_NAME_CUES: Final = ("pass", "pwd", "secret", "credential", "key")

RULES: Final = (
    Rule("private key", ("private key",), re.compile(
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY"
        r".*?(?:-----END [A-Z0-9 ]{0,80}-----|\Z)", re.DOTALL),
        _SECRET, "https://www.rfc-editor.org/rfc/rfc7468"),
    Rule("JSON web token", ("eyj",), re.compile(r"eyJ[\w-]{8,}+(?:\.[\w-]*+)*+", re.ASCII),
        _SECRET, "https://www.rfc-editor.org/rfc/rfc7519"),
    Rule("cookie", ("cookie",), re.compile(r"(?ai)(cookie[\\\"']{0,4}\s{0,4}:\s{0,4})[^\r\n]++"),
        rf"\g<1>{_SECRET}", "https://www.rfc-editor.org/rfc/rfc6265"),
    Rule("authorization with parameters", ("authorization",), re.compile(
        r"(?ai)(authorization[\\\"']{0,4}\s{0,4}[:=]\s{0,4})[\\\"']{0,4}"
        r"(?:digest|aws4-hmac-sha256)\s[^\r\n]++"),
        rf"\g<1>{_SECRET}", "https://www.rfc-editor.org/rfc/rfc7616"),
    Rule("authorization", ("authorization",), re.compile(
        rf"(?ai)(authorization[\\\"']{{0,4}}\s{{0,4}}[:=]\s{{0,4}})[\\\"']{{0,4}}"
        rf"(?:(?:basic|bearer|token|negotiate|apikey|key)\s{{1,4}})?{_VALUE}"),
        rf"\g<1>{_SECRET}", "https://www.rfc-editor.org/rfc/rfc7617"),
    Rule("bearer token", ("bearer",), re.compile(
        r"(?ai)(bearer(?:\s{1,4}token)?[\s:=]{1,4}[\\\"']{0,4})[\w.~+/=-]{6,}+", re.ASCII),
        rf"\g<1>{_SECRET}", "https://www.rfc-editor.org/rfc/rfc6750#section-2.1"),
    *(Rule("key with a prefix", cues, re.compile(rf"{_START}(?:{form})", re.ASCII),
        _SECRET, source) for cues, form, source in SECRET_FORMS),
    Rule("assignment", _NAME_CUES, re.compile(rf"(?ai)({_NAMES})({_SEPARATOR}){_VALUE}"),
        rf"\g<1>\g<2>{_SECRET}", "https://cwe.mitre.org/data/definitions/532.html"),
    # "time to first token: 300 ms" and "Unexpected token: '}'" are no secrets.
    Rule("assignment of a token", ("token", "pass", "sig"), re.compile(
        rf"(?ai)((?<!first[ _-])token|(?<![a-z])pass|(?<![a-z])sig(?:nature)?)({_SEPARATOR})"
        r"[\\\"'`]{0,4}[^\s,;&\"'<>`\\]{8,}+[\\\"'`]{0,4}"),
        rf"\g<1>\g<2>{_SECRET}", "https://www.rfc-editor.org/rfc/rfc6750#section-2.3"),
    Rule("option", ("--",), re.compile(rf"(?ai)(--(?:{_NAMES}|token)\s{{1,4}}){_VALUE}"),
        rf"\g<1>{_SECRET}", "https://cwe.mitre.org/data/definitions/214.html"),
    Rule("user and query of a URL", ("://",), re.compile(r"://(?:[^\s\"<>:]|:(?!//))*+"),
        _url, "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1"),
    Rule("query of a path", ("?",), re.compile(r"(?<=[\w/])\?[\w.%~-]++=[^\s\"<>]++"),
        "?[query]", "https://www.rfc-editor.org/rfc/rfc3986#section-3.4"),
    Rule("e-mail address", ("@", "＠", "%40"), re.compile(
        r"(?<![\w.+-])[\w.+-]++(?:@|＠|%40)(?:[\w-]++\.)+(?:xn--[\w-]++|[^\W\d_]{2,}+)"),
        "[email]", "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.2"),
    Rule("IPv6 or MAC address", (":",), re.compile(
        r"(?<!\w)(?:[0-9A-Fa-f]{0,4}+:){2,}+"
        r"(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{0,4}+)(?:%[\w.-]{1,16})?"),
        _ip6, "https://www.rfc-editor.org/rfc/rfc4291#section-2.2"),
    Rule("IPv4 address", (".",), re.compile(
        rf"(?<![0-9])(?<![0-9]\.){_OCTET}(?:\.{_OCTET}){{3}}(?!\.?[0-9])"),
        "[ip]", "https://www.rfc-editor.org/rfc/rfc791"),
    Rule("IPv4 address in a host name", ("ip-",), re.compile(
        r"(?ai)(?<![a-z0-9])ip(?:-[0-9]{1,3}){4}(?![0-9])"),
        "[ip]", "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-naming.html"),
    Rule("home directory", ("home", "users", "/root/", "~"), re.compile(
        r"(?:(?:/|%2F)(?:home|Users)(?:/|%2F)|(?<![\w/])/root/"
        r"|(?<![\w~])~(?:[A-Za-z_][\w.-]{0,31})?/)[^\s\"'<>|:;,)]++"),
        "[path]", "https://refspecs.linuxfoundation.org/FHS_3.0/fhs/ch03s08.html"),
    Rule("Windows home directory", ("users",), re.compile(
        r"(?ai)[a-z]:[\\/]{1,4}users[\\/]{1,4}"
        r"(?:[^\\/\r\n\"<>|:*?]{1,64}[\\/]{1,4})?[^\s\"'<>|:;,)]*+"),
        "[path]", "https://learn.microsoft.com/windows/win32/shell/knownfolderid"),
)  # fmt: skip

_ANY_CUE: Final = re.compile("|".join(sorted({re.escape(cue) for r in RULES for cue in r.cues})))
_OUTSIDE_OF_PATHS: Final = tuple(r for r in RULES if r.replacement != "[path]")
_SHORTEST_SECRET: Final = 6
_PASSES: Final = 8


def scrub(text: str) -> str:
    """`text` without secrets, e-mail and network addresses, home directories, users in URLs.

    What is removed leaves a word in brackets, such as [secret]. Linear in the length of the text,
    never raises, and scrubbing twice changes nothing.
    """
    return _scrub(text, RULES)


def scrubbed(_: str, text: str) -> str:
    """A text of a rollup, whichever its column, as it may be kept on disk."""
    # No secret and no address is as short as this, and there may be very many chunk ids.
    return text if len(text) < _SHORTEST_SECRET else scrub(text)


def _scrub(text: str, rules: Sequence[Rule]) -> str:
    # Most texts are names and ids, of which there are very many: one look is enough for those.
    if not _ANY_CUE.search(text.lower()):
        return text
    # Removing one thing can lay bare the next ('password="a"b'); two passes are the rule.
    for _ in range(_PASSES):
        before, lower = text, text.lower()
        for rule in rules:
            if any(cue in lower for cue in rule.cues):
                text = rule.pattern.sub(rule.replacement, text)
        if text == before:
            break
    return text


# --- text that is safe to print ------------------------------------------------------------------

# ANSI control sequences (ECMA-48): CSI, then OSC and the other strings, then the short ones.
_ANSI: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*+[0-~]?"
)
# Blank in every font but no format character: fillers, joiners, variation selectors.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(c) for c in (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
}
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_LABEL_LIMIT: Final = 120


def plain(text: str) -> str:
    """`text` on one line, without control, bidi and zero-width characters and ANSI sequences.

    A lone surrogate becomes U+FFFD, so that the text can always be written as UTF-8.
    """
    return " ".join(_visible(text).split())


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_safe, _ANSI.sub("", text)))


@lru_cache(maxsize=4096)
def _safe(char: str) -> str:
    if char.isspace():
        return " "
    kind = unicodedata.category(char)
    if kind == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    return "" if kind in _UNSAFE or char in _BLANK else char


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, the last one … where something is left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def clean_label(text: str, limit: int = _LABEL_LIMIT) -> str:
    """A name from a log (model, tool, guardrail, …) as it may be printed: plain, scrubbed, short.

    A label that nothing is left of becomes "(blank)".
    """
    # Far more than is shown is looked at, so that no secret is cut before it is recognised.
    seen = plain(text[: 64 * limit])
    return shorten(scrub(seen), limit) or "(blank)"


def printable(text: str, limit: int = 600) -> str:
    """`text` for a terminal or a CI log: a clean label that holds no command to the runner.

    `::error::` and `##[error]` are commands in the logs of GitHub, Azure and TeamCity, wherever
    wrapping puts them.
    """
    return _no_commands(clean_label(text, limit))


def printable_line(text: str, limit: int = 4000) -> str:
    """A finished line for the user's own terminal: as `printable`, but it keeps its spacing and
    its paths, so that columns stand and `file:line` can be followed."""
    return _no_commands(shorten(_scrub(_visible(text), _OUTSIDE_OF_PATHS), limit))


def _no_commands(text: str) -> str:
    return text.replace("::", "∷").replace("##", "＃＃")


# --- ids ------------------------------------------------------------------------------------------

_PREFIXES: Final = {
    "users": "user",
    "sessions": "session",
    "tenants": "tenant",
    "reviewers": "reviewer",
    "chunks": "chunk",
    "error_messages": "message",
    "paths": "path",
}
_KEY_VARIABLE: Final = "GONOGO_ID_KEY"
_KEY_FILE: Final = "id.key"
_KEY_LENGTH: Final = 16


@dataclass(frozen=True)
class Masker:
    """What a profile shows of ids, messages and paths.

    Under `public` a value becomes a keyed hash (HMAC-SHA256), the same for the same key, unless
    `publish` opens its kind by name; otherwise it is shown scrubbed. A site is the same byte for
    byte only where the key is the same: give it in GONOGO_ID_KEY, or keep the state directory.

    Raises:
        ValueError: the key is shorter than 16 bytes: names could be guessed from their hashes.
    """

    profile: str
    publish: Sequence[str]
    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) < _KEY_LENGTH:
            raise ValueError(f"an id key has at least {_KEY_LENGTH} bytes")

    def mask(self, kind: str, value: str | None) -> str | None:
        """`value` as it may be shown; None stays None, so do (other) and (not logged).

        Args:
            kind: one of conventions.PUBLISHABLE.

        Raises:
            KeyError: the kind is not among them.
        """
        prefix = _PREFIXES[kind]
        if value is None or value in (OTHER, UNKNOWN):
            return value
        if self.profile == PUBLIC and kind not in self.publish:
            return self._hash(prefix, kind, value)
        shown = scrub(plain(value))
        # Two users known by their addresses must not become one "[email]".
        if shown != value and kind not in ("error_messages", "paths"):
            return f"{shown} {self._hash(prefix, kind, value)}"
        return shown

    def _hash(self, prefix: str, kind: str, value: str) -> str:
        message = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return f"{prefix}-{hmac.digest(self.key, message, 'sha256').hex()[:8]}"


def load_id_key(state_dir: Path | None) -> bytes:
    """The key of the hashed ids: $GONOGO_ID_KEY, else `id.key` in the state directory.

    The file is made, readable by its owner alone, where there is none; None stands for `.gonogo`.
    Both hold text, so the content of the file can be copied into the variable of a CI system.
    Where nothing can be written (a read-only checkout) the key is made up for this run, and the
    ids of the next run differ.

    Raises:
        UsageError: the variable or the file holds no usable key.
    """
    given = os.environ.get(_KEY_VARIABLE, "").strip()
    if given:
        return _checked(given.encode("utf-8", "surrogatepass"), f"${_KEY_VARIABLE}")
    path = (state_dir or Path(".gonogo")) / _KEY_FILE
    fresh = secrets.token_bytes(32).hex().encode()
    if not os.path.lexists(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_new(path, fresh + b"\n")
        except FileExistsError:
            pass  # another run was quicker: its key is the one
        except OSError:
            return fresh
    try:
        return _checked(path.read_bytes().strip(), str(path))
    except OSError as error:
        raise _unusable(str(path), error.strerror or "cannot be read") from error


def _write_new(path: Path, content: bytes) -> None:
    """A file for its owner alone, there whole or not at all: others may read it at any moment.

    Raises:
        FileExistsError: it is there already, and stays as it is.
    """
    spare = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    try:
        os.link(spare, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        spare.replace(path)
    finally:
        spare.unlink(missing_ok=True)


def _checked(key: bytes, where: str) -> bytes:
    if len(key) < _KEY_LENGTH:
        raise _unusable(where, f"holds {len(key)} characters; a key has {_KEY_LENGTH} or more")
    return key


def _unusable(where: str, why: str) -> UsageError:
    hint = f"delete it to get a new one, or set {_KEY_VARIABLE} to 64 random characters"
    return UsageError((Diagnostic("U010", where, f"the id key {why}", hint),))


# --- small cells ----------------------------------------------------------------------------------

# Figures that cannot be added: quantiles, extremes, deviations, and counts of distinct people.
_NOT_ADDITIVE: Final = re.compile(r"_(?:p[0-9.]+|min|max|sd)$|^(?:sessions|users|minutes)$|^peak_")


def fold_small(
    table: Table,
    key_columns: Sequence[str],
    *,
    count: str = "calls",
    minimum: int = SMALL_CELL,
) -> Table:
    """`table` with its small rows merged into one (other) row, the last.

    A row is small under `minimum` in the column `count`. If the small rows together are still
    fewer, the next smallest row joins them, so that the merged row never stands for fewer calls
    than that while others exist. Integer columns are summed over the rows that have them;
    quantiles, extremes, distinct counts and texts are None in the merged row. The row of values
    that were not logged is nobody's and stays. An (other) row that is there already is merged too.

    Args:
        key_columns: stored columns that say whose row it is; (other) in the merged row.
    """
    counts = [value if isinstance(value, int) else 0 for value in table.data[count]]
    keys = list(zip(*(table.data[k] for k in key_columns), strict=True))
    named = [i for i, key in enumerate(keys) if UNKNOWN not in key]
    small = {i for i in named if counts[i] < minimum}
    if not small:
        return table
    small |= {i for i in named if OTHER in keys[i]}
    rest = sorted((i for i in named if i not in small), key=lambda i: (counts[i], str(keys[i])))
    for i in rest:
        if sum(counts[j] for j in small) >= minimum:
            break
        small.add(i)
    kept = [i for i in range(table.height) if i not in small]
    data = {
        key: [column[i] for i in kept]
        + [_merged(key, [column[i] for i in sorted(small)], key_columns)]
        for key, column in table.data.items()
    }
    return table.model_copy(update={"data": data})


def _merged(key: str, cells: list[Scalar], key_columns: Sequence[str]) -> Scalar:
    if key in key_columns:
        return OTHER
    known = [c for c in cells if c is not None]
    if not known or _NOT_ADDITIVE.search(key):
        return None
    numbers = [c for c in known if isinstance(c, int) and not isinstance(c, bool)]
    return sum(numbers) if len(numbers) == len(known) else None
