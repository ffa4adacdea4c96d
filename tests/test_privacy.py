"""Secrets leave no trace, ids become hashes, labels cannot forge a line, small cells merge."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo import privacy
from gonogo.conventions import OTHER, PUBLISHABLE, UNKNOWN
from gonogo.errors import UsageError
from gonogo.indicators import INDICATORS
from gonogo.privacy import (
    RULES,
    Masker,
    clean_label,
    fold_small,
    load_id_key,
    plain,
    scrub,
    shorten,
)
from gonogo.results import Column, Table
from hostile_canaries import CANARIES, CANARY_FILENAME, CANARY_TOKENS
from synthetic import synthetic_result

KEY = b"0123456789abcdef0123456789abcdef"
HEX = "0123456789abcdef" * 2
ALNUM = "Ab3" * 14

SECRETS = {
    "OpenAI": "sk-proj-" + ALNUM,
    "Anthropic": "sk-ant-api03-" + ALNUM,
    "OpenRouter": "sk-or-v1-" + HEX,
    "Google": "AIza" + "Sy" + ALNUM[:33],
    "Google OAuth": "ya29." + ALNUM,
    "AWS key id": "AKIA" + "IOSFODNN7EXAMPLE",
    "AWS session key id": "ASIA" + "IOSFODNN7EXAMPLE",
    "GitHub": "ghp_" + ALNUM[:36],
    "GitHub fine-grained": "github_pat_" + ALNUM,
    "GitLab": "glpat-" + ALNUM[:20],
    "Slack bot": "xoxb-" + "123456789012-abcdefABCDEF",
    "Slack app": "xapp-1-" + ALNUM,
    "Hugging Face": "hf_" + ALNUM[:34],
    "Stripe": "sk_live_" + ALNUM[:24],
    "Groq": "gsk_" + ALNUM,
    "xAI": "xai-" + ALNUM,
    "NVIDIA": "nvapi-" + ALNUM,
    "Databricks": "dapi" + HEX,
    "Vault": "hvs." + ALNUM,
    "SendGrid": "SG." + ALNUM[:22] + "." + ALNUM,
    "npm": "npm_" + ALNUM[:36],
    "Telegram": "123456789:AA" + ALNUM[:33],
    "Twilio": "SK" + HEX,
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + ALNUM,
}
TEXTS = {
    "bearer": ("Bearer " + ALNUM, ALNUM),
    "authorization": ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
    "digest": ('Authorization: Digest username="mufasa", realm="x"', "mufasa"),
    "cookie": ("Cookie: sid=hunter2; theme=dark", "hunter2"),
    "password": ("password=hunter2", "hunter2"),
    "quoted password": ("{'password': 'hunter2 and more'}", "hunter2 and more"),
    "escaped JSON": ('{\\"api_key\\":\\"hunter2\\"}', "hunter2"),
    "environment": ("AZURE_OPENAI_API_KEY=hunter2", "hunter2"),
    "AWS secret": ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "K7MDENG"),
    "vendor's message": ("Incorrect API key provided: hunter2.", "hunter2"),
    "option": ("client --password hunter2 --verbose", "hunter2"),
    "token": ("refresh_token: hunter2hunter2", "hunter2"),
    "PEM": ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----", "hunter2"),
    "PEM cut short": ("-----BEGIN PRIVATE KEY-----\\nhunter2", "hunter2"),
    "user of a URL": ("postgres://bob:hunter2@db.example/x", "hunter2"),
    "odd password": ("postgres://bob:hun/ter?2@db.example/x", "ter"),
    "URL in a URL": ("https://a.example/https://bob:hunter2@b.example/", "hunter2"),
    "query": ("GET https://a.example/x?q=hunter2#here", "hunter2"),
    "path with query": ("GET /search?q=hunter2", "hunter2"),
    "e-mail": ("from bob.o+x@mail.example.com.", "mail.example"),
    "escaped e-mail": ("bob%40mail.example", "bob"),
    "e-mail in Unicode": ("jürgen@büro.example", "jürgen"),
    "IPv4": ("connect 10.1.2.3:443 failed", "10.1.2.3"),
    "IPv4 host": ("ip-10-1-2-3.internal", "10-1-2-3"),
    "IPv6": ("connect [2001:db8::1]:443", "2001"),
    "IPv6 in full": ("at 2001:db8:0:0:0:0:0:1", "2001"),
    "IPv6 with a name": ("peer:fe80::1%eth0: refused", "fe80"),
    "mapped IPv4": ("::ffff:10.1.2.3", "ffff"),
    "MAC": ("00:1A:2b:3C:4D:5E", "3C"),
    "home": ('File "/home/bob/app.py", line 3', "bob"),
    "home on a Mac": ("file:///Users/bob/app.py", "bob"),
    "home on Windows": ("C:\\Users\\Bob Smith\\app.py", "Smith"),
    "tilde": ("~bob/notes", "notes"),
}
INNOCENT = (
    "gpt-4o-2024-08-06",
    "claude-3-5-sonnet@20240620",
    "text-embedding-3-large",
    "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2",
    "global.anthropic.claude-sonnet-4-20250514-v1:0",
    "pplx-70b-online",
    "hf_transformers_text_generation_pipeline",
    "disk-and-task-management-for-everyone",
    "AUTHENTICATIONFAILED",
    "2026.47.1",
    "12:30:45.123",
    "2026-11-16T09:00:01.008Z",
    "std::vector<int>",
    "Unexpected token: '}'",
    "max_tokens=4096, 8,192 tokens: too many",
    "time to first token: 300 ms",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "error_rate{tenant_id=acme} <= 1%",
    "https://a.example/v1/chat/completions",
    "is this it? yes",
)

pieces = st.sampled_from([
    *SECRETS.values(), *(text for text, _ in TEXTS.values()), *INNOCENT,
    "[secret]", "[email]", "[ip]", "[path]", "?[query]", "password=", "token: ", "://", "@", "%40",
    ".", ":", "::", "=", '"', "'", "`", "\\", "/", "~", "?", "#", " ", "\n", "\\n", "a", "1", "-",
    "sk-", "eyJ", "1.2.3", "ſ", "İ", "\ud800", "\u200b", "\x1b[31m", "＠",
])  # fmt: skip
mixed = st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=12).map("".join)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("around", ["{}", 'key "{}", gone', "x={};", "a\\n{}", "%3D{}", "<{}>"])
def test_a_known_key_is_removed_wherever_it_stands(secret: str, around: str) -> None:
    text = around.format(secret)
    assert scrub(text) == around.format("[secret]")


@pytest.mark.parametrize(("text", "hidden"), TEXTS.values(), ids=TEXTS)
def test_what_is_private_is_gone(text: str, hidden: str) -> None:
    assert hidden in text
    assert hidden not in scrub(text)


@pytest.mark.parametrize("text", INNOCENT)
def test_what_is_not_private_stays(text: str) -> None:
    assert scrub(text) == text


def test_what_follows_a_removed_secret_stays() -> None:
    assert scrub("log-sk-" + ALNUM + ": no such file") == "log-[secret]: no such file"
    assert scrub("config[secret]: hunter2") == "config[secret]: [secret]"


def test_our_own_sentences_pass_unchanged() -> None:
    result = synthetic_result()
    ours = [f"{i.title}: 12 of 1,000; {i.formula}; log {i.log_field}" for i in INDICATORS.values()]
    ours += [f"{o.title}: {o.reason} {o.expression}" for o in result.objectives]
    ours += [e.sentence for e in result.excursions]
    assert [scrub(text) for text in ours] == ours


@pytest.mark.parametrize("path", [p for p in CANARIES if not CANARIES[p].startswith("cnry")])
def test_the_secret_canaries_are_scrubbed_from_a_name(path: str) -> None:
    shown = clean_label(f"gpt-4o {CANARIES[path]}")
    assert shown.startswith("gpt-4o ")
    assert CANARY_TOKENS[path].lower() not in shown.lower()


@settings(max_examples=400)
@given(mixed)
def test_scrubbing_twice_changes_nothing_and_never_raises(text: str) -> None:
    once = scrub(text)
    assert scrub(once) == once


@settings(max_examples=300)
@given(mixed)
def test_a_rule_matches_only_where_one_of_its_cues_stands(text: str) -> None:
    lower = text.lower()
    for rule in RULES:
        if rule.pattern.search(text):
            assert any(cue in lower for cue in rule.cues), rule.name


def test_every_rule_says_where_it_comes_from() -> None:
    assert all(rule.source and rule.cues for rule in RULES)


ADVERSARIAL = [
    "a", "a.", "a@", "@", "sk-", "eyJ", "eyJa", "://", "://a:b@", "?a", "?a=", ":", "a:", "1.",
    "1.2.3.", "::1 ", "/home/", "C:\\Users\\", "password", "password=", 'password="', "bearer ",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "-----END ", "cookie:", "authorization:",
    "authorization: digest ", "ip-1-1", "ghp_", "--token ", "~/", "xn--", "a.b@c.", "AKIA", "\\",
    "'", "`", "SG.", "1:AA", "token: ", "[secret]", "x@x.a.b.c.d1.", "\x1b[", "\x1b]", "\u200b",
    "x@a.b-", "key-", "pass", "users", "%40", "%2Fhome", "?a=b",
]  # fmt: skip


STARTED = [
    ("x@", "a"), ("x@", "a."), ("x@", "a-"), ("x@x", ".a1"), ("eyJ", "aaaa."), ("://u:", "a@"),
    ("://", ":"), ('password="', "a"), ("cookie: ", "x"), ("?", "a"), ("C:\\Users\\", "a b "),
    ("\x1b]", "a"), ("sk-", "a"), ("::", "a:"), ("/home/", "a"), ("Bearer ", "a"), ("1", "1."),
    ("-----BEGIN PRIVATE KEY", "-----END"), ("xn--@", "xn--."), ("SG.", "a."), ("token", " "),
]  # fmt: skip


@pytest.mark.parametrize(("start", "unit"), [*(("", unit) for unit in ADVERSARIAL), *STARTED])
def test_a_megabyte_of_hostile_text_is_scrubbed(start: str, unit: str) -> None:
    # A pattern of quadratic time would need hours for this and hang the run.
    text = (start + unit * (1_000_000 // len(unit) + 1))[:1_000_000] + "!"
    assert isinstance(scrub(plain(text)), str)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("a\nb\r\nc\td", "a b c d"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("\u202egnp.exe", "gnp.exe"),
        ("ad\u200bmin\u2060\ufeff\u00ad", "admin"),
        ("\u3164\u2800", ""),
        ("x\ud800y", "x\ufffdy"),
        ("a\x00b\x07c\x7f", "abc"),
        ("naïve 模型 🙂 ok", "naïve 模型 🙂 ok"),
        ("  two   spaces ", "two spaces"),
    ],
)
def test_plain_text_cannot_forge_anything(hostile: str, shown: str) -> None:
    assert plain(hostile) == shown


@given(st.text())
def test_plain_text_is_one_line_that_can_be_written(text: str) -> None:
    shown = plain(text)
    shown.encode()
    assert plain(shown) == shown
    assert len(shown.splitlines()) <= 1
    assert shown.isprintable() or not any(c in shown for c in "\x1b\x00\n\r\t\u202e\u200b")


def test_a_secret_split_by_an_invisible_character_is_still_seen() -> None:
    assert clean_label("sk-proj-\u200b" + ALNUM) == "[secret]"


def test_a_label_is_short_and_never_empty() -> None:
    assert clean_label("x" * 500) == "x" * 119 + "…"
    assert clean_label("x" * 120) == "x" * 120
    assert clean_label("\u200b") == "(blank)"
    assert clean_label("abcdef", limit=3) == "ab…"
    assert shorten("abc", 3) == "abc"


def test_a_secret_at_the_cut_of_a_label_is_not_left_half() -> None:
    shown = clean_label("x" * 110 + " ghp_" + ALNUM[:36])
    assert "ghp" not in shown


# --- ids


def test_a_public_id_is_a_keyed_hash() -> None:
    masker = Masker("public", (), KEY)
    shown = masker.mask("tenants", "acme")
    assert shown is not None
    assert shown.startswith("tenant-")
    assert len(shown) == len("tenant-3f9a2c1b")
    assert "acme" not in shown
    assert shown == Masker("public", (), KEY).mask("tenants", "acme")
    assert shown != Masker("public", (), KEY[::-1]).mask("tenants", "acme")
    assert shown != masker.mask("tenants", "acme2")
    assert shown[-8:] != str(masker.mask("users", "acme"))[-8:]


def test_every_kind_that_can_be_published_can_be_masked() -> None:
    masker = Masker("public", (), KEY)
    shown = [masker.mask(kind, "value") for kind in PUBLISHABLE]
    assert len(set(shown)) == len(PUBLISHABLE)
    with pytest.raises(KeyError):
        masker.mask("prompts", "value")


def test_values_that_name_nobody_stay() -> None:
    masker = Masker("public", (), KEY)
    assert masker.mask("users", None) is None
    assert masker.mask("users", OTHER) == OTHER
    assert masker.mask("users", UNKNOWN) == UNKNOWN


@pytest.mark.parametrize(
    ("profile", "publish", "opened"),
    [
        ("public", (), False),
        ("public", ("users",), False),
        ("public", ("tenants",), True),
        ("internal", (), True),
    ],
)
def test_a_kind_is_open_under_internal_or_by_name(
    profile: str, publish: tuple[str, ...], opened: bool
) -> None:
    shown = Masker(profile, publish, KEY).mask("tenants", "acme")
    assert (shown == "acme") is opened


def test_an_opened_id_is_scrubbed_and_stays_distinct() -> None:
    masker = Masker("internal", (), KEY)
    one, two = (masker.mask("users", f"{name}@mail.example") for name in ("ann", "bob"))
    assert one != two
    assert str(one).startswith("[email] user-")
    assert masker.mask("error_messages", "no ann@mail.example") == "no [email]"
    assert masker.mask("paths", CANARY_FILENAME) == "log-" + CANARIES["file path"] + ".jsonl"


@given(st.text())
def test_masking_never_raises_and_never_shows_the_value(value: str) -> None:
    shown = Masker("public", (), KEY).mask("sessions", value)
    assert shown is not None
    if value not in (OTHER, UNKNOWN):
        assert len(shown) == 16
        assert len(value) < 6 or value not in shown or "session-".startswith(value)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Masker("public", (), b"short")


def test_the_key_is_made_once_and_kept_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GONOGO_ID_KEY", raising=False)
    state = tmp_path / "deep" / "state"
    key = load_id_key(state)
    assert len(key) == 64
    assert load_id_key(state) == key
    if os.name == "posix":
        assert stat.S_IMODE((state / "id.key").stat().st_mode) == 0o600
    assert load_id_key(tmp_path / "other") != key


def test_the_content_of_the_key_file_gives_the_same_ids_in_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GONOGO_ID_KEY", raising=False)
    key = load_id_key(tmp_path)
    monkeypatch.setenv("GONOGO_ID_KEY", (tmp_path / "id.key").read_text())
    assert load_id_key(None) == key


def test_without_a_state_directory_the_key_is_in_the_default_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GONOGO_ID_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    assert load_id_key(None) == (tmp_path / ".gonogo" / "id.key").read_bytes().strip()


def test_an_unusable_key_says_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GONOGO_ID_KEY", "short")
    with pytest.raises(UsageError, match=r"GONOGO_ID_KEY.*holds 5 characters"):
        load_id_key(tmp_path)
    monkeypatch.delenv("GONOGO_ID_KEY")
    (tmp_path / "id.key").write_text("tiny\n")
    with pytest.raises(UsageError, match=r"id\.key.*holds 4 characters"):
        load_id_key(tmp_path)


def test_where_nothing_can_be_written_a_key_for_this_run_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GONOGO_ID_KEY", raising=False)
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert len(load_id_key(blocked / "state")) == 64
    assert blocked.read_text() == ""


# --- small cells


def _table(**columns: list[object]) -> Table:
    shown = tuple(Column(key=k, title=k, unit="count") for k in columns)
    return Table(id="t", title="T", columns=shown, data=columns)  # type: ignore[arg-type]


def test_small_rows_merge_and_only_sums_survive() -> None:
    table = _table(
        value=["a", "b", "c"],
        calls=[100, 9, 3],
        errors=[1, 2, None],
        latency_p95=[5, 6, 7],
        latency_min=[1, 1, 1],
        latency_sd=[1, 2, 3],
        sessions=[4, 2, 1],
        cost=[None, None, None],
        note=["x", "y", "z"],
    )
    assert fold_small(table, ("value",)).data == {
        "value": ["a", OTHER],
        "calls": [100, 12],
        "errors": [1, 2],
        "latency_p95": [5, None],
        "latency_min": [1, None],
        "latency_sd": [1, None],
        "sessions": [4, None],
        "cost": [None, None],
        "note": ["x", None],
    }


def test_a_lonely_small_row_takes_the_next_smallest_with_it() -> None:
    table = _table(value=["a", "b", "c", "d"], calls=[100, 4, 20, 30])
    assert fold_small(table, ("value",)).data == {
        "value": ["a", "d", OTHER],
        "calls": [100, 30, 24],
    }


def test_the_rest_that_was_folded_before_is_merged_too_and_unknown_stays() -> None:
    table = _table(value=["a", UNKNOWN, "b", OTHER], calls=[100, 2, 4, 50])
    assert fold_small(table, ("value",)).data == {
        "value": ["a", UNKNOWN, OTHER],
        "calls": [100, 2, 54],
    }


def test_a_table_without_small_rows_is_left_as_it_is() -> None:
    table = _table(value=["a", OTHER], calls=[10, 11])
    assert fold_small(table, ("value",)) is table


def test_another_count_column_and_limit_may_be_named() -> None:
    table = _table(chunk=["a", "b", "c"], retrievals=[3, 1, 1])
    folded = fold_small(table, ("chunk",), count="retrievals", minimum=2)
    assert folded.data == {"chunk": ["a", OTHER], "retrievals": [3, 2]}


@given(st.lists(st.integers(0, 40), max_size=12))
def test_folding_keeps_the_sum_and_shows_nobody_small(calls: list[int]) -> None:
    table = _table(value=[f"v{i}" for i in range(len(calls))], calls=list(calls))
    folded = fold_small(table, ("value",))
    shown = [c for c in folded.data["calls"] if isinstance(c, int)]
    assert sum(shown) == sum(calls)
    assert all(c >= privacy.SMALL_CELL for c in shown) or sum(calls) < privacy.SMALL_CELL
    assert fold_small(folded, ("value",)).data == folded.data


def test_runs_that_start_together_have_one_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GONOGO_ID_KEY", raising=False)
    for attempt in range(30):
        state = tmp_path / str(attempt)
        with ThreadPoolExecutor(8) as pool:
            keys = set(pool.map(privacy.load_id_key, [state] * 8))
        assert keys == {(state / "id.key").read_bytes().strip()}
        assert [path.name for path in state.iterdir()] == ["id.key"]
