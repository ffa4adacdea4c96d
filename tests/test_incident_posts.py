"""An incident in the form that each service takes: whole within its size, and no log text acts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from gonogo.exports.blockkit import BLOCKS, HEADER, SECTION, length
from gonogo.exports.occurrence import LONGEST_TEXT, incident_json, incident_md, terminal
from gonogo.exports.posted import NOTE, pagerduty_json, slack_incident
from gonogo.results import Coincidence, FirstSeen, Impact, Incident, Normal, Standing, Step, Witness
from hostile import ATTACK_STRINGS
from hostile_result import excursion, hostile_result, objective
from published import gonogo
from test_incident import CONFIG, INCIDENT, SAMPLE

ATTACKS = [
    *(t for t in ATTACK_STRINGS if len(t) < 1000),
    "<!channel> <@U123> <#C1> <https://evil.example|click> &lt;!here&gt;",
    "<!-- gonogo:readiness --> <details open><summary>x</summary>",
    "@octocat #123 GH-7 owner/repo#9 GL-1 !5 $x$ https://evil.example",
    "[x]: https://evil.example 'y'\n\n# heading\n- [ ] task\n| a | b |\n```\ncode",
    "abc \u202egnp\u2066.exe\u2069 \u200bend",
    ":white_check_mark: :x: ::error::y ##[error]z",
    "mailto:a@b.example xmpp:a@b.example www.evil.example",
]  # fmt: skip
LONG = ["M" * 900, "&<>" * 300, "🤷" * 700, "`*_" * 200]
BIDI = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A link is made of these; a bare word with a dot is not made one in any of the four places.
LINK = re.compile(r"(?i)https?://|\bwww\.|\bmailto:[^\s]*@|javascript:\w+\(.*\)\]\(")


def hostile_incident(text: str, n: int = 2, **overrides: object) -> Incident:
    """An incident that says `text` wherever a text may be said."""
    result = hostile_result(text)
    step = Step(name=text, duration_us=5, failed=True)
    witness = Witness(
        kind="worst", rule=text, trace_id=text, span_id=text, time=1_772_532_000, model=text,
        operation=text, release=text, duration_us=5, error_class=text, steps=(step,),
    )  # fmt: skip
    coincidence = Coincidence(
        dimension=text, value=text, against="others", bad=9, events=9, all_bad=9, share=0.5, lift=2,
    )  # fmt: skip
    impact = Impact(
        calls=90, sessions=8, users=7, tenants=6, without_session=1, without_user=2,
        cost_nano_usd=10**9, extra_cost_nano_usd=10**8, priced=90,
    )  # fmt: skip
    found = tuple(
        excursion(
            text, i, id=f"{i} {text}", impact=impact, coincidences=(coincidence,) * 5,
            witnesses=(witness,),
            first_seen=(FirstSeen(dimension=text, value=text, time=1_772_532_000 + i),),
        )
        for i in range(n)
    )  # fmt: skip
    normal = Normal(bad=1, total=100, source=text, share=text)
    fields: dict[str, Any] = {
        "generator": text, "profile": "internal", "title": text, "trace_url": None,
        "timezone": text, "as_of": 1_772_540_000, "start": 1_772_500_000, "end": 1_772_540_000,
        "default_thresholds": True, "excursions": found,
        "normals": {e.id: normal for e in found},
        "standings": (
            Standing(objective=objective(text), bad=5, total=10, seen=text, is_over=True),
        ),
        "ingest": result.ingest, "warnings": (text,), "notes": (text,),
        "command": f"gonogo incident --where a={text}",
    }  # fmt: skip
    return Incident.model_validate(fields | overrides)


def slack_parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Every text object of the blocks."""
    return [
        part
        for block in message["blocks"]
        for part in (block["elements"] if "elements" in block else [block["text"]])
    ]


def slack_texts(message: dict[str, Any]) -> list[str]:
    return [message["text"], *(part["text"] for part in slack_parts(message))]


def without_run_books(text: str) -> str:
    """A run book is written by the owners of the thresholds, and may be a whole address."""
    return re.sub("run book: .*", "", text)


# --- hostile text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*ATTACKS, *LONG])
def test_nothing_in_the_slack_message_notifies_links_or_forges(text: str) -> None:
    message = json.loads(slack_incident(hostile_incident(text)))
    for said in map(without_run_books, slack_texts(message)):
        assert "<" not in said
        assert ">" not in said
        assert not re.search(r"&(?!amp;|lt;|gt;)", said)
        assert "@" not in said
        assert "`" not in said
        assert not LINK.search(said)
        assert not BIDI.search(said.replace("\n", ""))
        assert not re.search(r":[a-z_+-]+:", said)
    assert all(p["type"] == "plain_text" or p["verbatim"] is True for p in slack_parts(message))
    assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)


@pytest.mark.parametrize("text", [*ATTACKS, *LONG])
def test_nothing_in_the_pagerduty_note_notifies_links_or_hides(text: str) -> None:
    data = json.loads(pagerduty_json(hostile_incident(text)))
    assert set(data) == {"note"}
    assert set(data["note"]) == {"content"}
    assert len(data["note"]["content"]) <= NOTE
    content = without_run_books(data["note"]["content"])
    assert not re.search("[<>@#`*]", content)
    assert not LINK.search(content)
    assert not BIDI.search(content.replace("\n", ""))


@pytest.mark.parametrize("text", [*ATTACKS, *LONG])
def test_the_issue_is_headings_lists_and_text_whatever_it_is_about(text: str) -> None:
    body = incident_md(hostile_incident(text))
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    kinds = set()
    for token in parser.parse(body):
        kinds.add(token.type)
        kinds |= {child.type for child in token.children or ()}
    assert kinds <= {
        "heading_open", "heading_close", "bullet_list_open", "bullet_list_close",
        "list_item_open", "list_item_close", "paragraph_open", "paragraph_close", "inline",
        "text", "text_special", "code_inline", "em_open", "em_close",
    }  # fmt: skip
    headings = [t.content for t in parser.parse(body) if t.type == "inline" and t.level == 1]
    assert [h for h in headings if h in ("Root cause", "Resolution", "Actions", "Reproduce")]
    assert body.count("_to be filled in_") == 3
    assert not re.search("[@#](?!#* )", body.replace("\n## ", "\n").removeprefix("# "))
    assert not re.search(r"(?i)\bGH-\d", body)
    assert "<" not in re.sub(r"`[^`\n]*`", "", body)
    assert not LINK.search(without_run_books(body))
    assert not BIDI.search(body.replace("\n", ""))


@pytest.mark.parametrize("text", [*ATTACKS, *LONG])
def test_the_terminal_gets_no_control_and_no_command(text: str) -> None:
    said = terminal(hostile_incident(text))
    assert len(said) <= LONGEST_TEXT
    assert not BIDI.search(said.replace("\n", ""))
    assert "::" not in said
    assert "##[" not in said


@pytest.mark.parametrize("text", ATTACKS)
def test_the_json_is_one_value_and_no_command_to_a_runner(text: str) -> None:
    said = incident_json(hostile_incident(text))
    assert "##[" not in said
    assert not re.search(r"^\s*::", said, re.MULTILINE)
    assert json.loads(said)["title"] == text


@settings(max_examples=40)
@given(st.one_of(st.text(max_size=30), st.text("`|\\*_[]()!<>&#@~$ a1\n:/w.-+", max_size=20)))
def test_any_text_stays_text_in_every_form(text: str) -> None:
    incident = hostile_incident(text, 1)
    for said in map(without_run_books, slack_texts(json.loads(slack_incident(incident)))):
        assert not re.search("[<>@`]|://", said)
    note = without_run_books(json.loads(pagerduty_json(incident))["note"]["content"])
    assert not re.search("[<>@#`]|://", note)
    kinds = {
        child.type
        for token in MarkdownIt("commonmark").parse(incident_md(incident))
        for child in token.children or ()
    }
    assert kinds <= {"text", "text_special", "code_inline", "em_open", "em_close"}


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["slow", *LONG])
def test_many_excursions_fit_and_those_left_out_are_counted(text: str) -> None:
    incident = hostile_incident(text, 120)
    message = json.loads(slack_incident(incident))
    assert len(message["blocks"]) <= BLOCKS
    for part in slack_parts(message):
        limit = HEADER if part["type"] == "plain_text" else SECTION
        assert 0 < length(part["text"]) <= limit
    assert length(message["text"]) <= SECTION
    shown = sum("Touched: " in said for said in slack_texts(message))
    assert f"and {120 - shown} more that are over their limit" in slack_texts(message)
    body = incident_md(incident)
    assert len(body.encode()) < 65_536
    listed = body.partition("## Impact\n")[2].partition("\n## ")[0]
    told = len(re.findall("^- (?!…)", listed, re.MULTILINE))
    assert f"… and {120 - told} more" in listed
    assert body.rstrip().rpartition("\n")[2].startswith("Made by ")
    content = json.loads(pagerduty_json(incident))["note"]["content"]
    assert len(content) <= NOTE
    assert "… and more" in content
    assert len(terminal(incident)) <= LONGEST_TEXT


def test_who_owns_it_is_not_cut_off_and_a_run_book_can_be_followed() -> None:
    many = [excursion("slow", i, id=f"e{i}", objective="o") for i in range(60)]
    owned = objective("o", owner="chat team", runbook="https://runs.example/slow?x=1#y")
    plain = owned.model_copy(update={"runbook": "https://runs.example/slow-answers"})
    for one, written in ((plain, "https://runs.example/slow-answers"), (owned, "runs.example")):
        incident = hostile_incident(
            "slow", 0,
            excursions=tuple(many), standings=(Standing(objective=one, bad=1, total=2),),
        )  # fmt: skip
        content = json.loads(pagerduty_json(incident))["note"]["content"]
        last = content.splitlines()[-1]
        assert last.startswith("Owner: chat team, run book: ")
        assert written in last
        assert terminal(incident).splitlines()[-1].startswith("Owner: chat team, run book: ")
    assert "`https://runs.example/slow-answers`" in slack_incident(
        incident.model_copy(update={"standings": (Standing(objective=plain, bad=1, total=2),)})
    )


def test_length_is_never_less_than_what_slack_may_count() -> None:
    for text in ("", "abc", "é", "🤷" * 3, "\U0001f468‍\U0001f469"):
        assert length(text) == len(text.encode("utf-16-be")) // 2 >= len(text)


# --- the command ----------------------------------------------------------------------------------


def test_one_run_writes_what_each_service_takes(tmp_path: Path) -> None:
    out, state = tmp_path / "o", tmp_path / "state"
    args = ("incident", SAMPLE, "-c", CONFIG, *INCIDENT, "-q", "--state", state)
    done = gonogo(*args, "-o", out, "--format", "slack")
    assert done.exit_code == 0
    assert {p.name for p in out.iterdir()} == {
        "incident.md", "incident.json", "incident.html", "slack.json", "pagerduty.json",
    }  # fmt: skip
    assert done.stdout == (out / "slack.json").read_text()
    (
        first,
        *_,
    ) = json.loads(done.stdout)["blocks"][2:]
    # 147 slow calls and 117 late first tokens: hand-counted in tests/test_incident.py.
    said = "117 of 226 calls took longer than 1.5 s (51.8 %), 5 % allowed"
    assert said in first["text"]["text"]
    text = gonogo(*args).stdout
    content = json.loads((out / "pagerduty.json").read_text())["note"]["content"]
    assert content == text
    for form, name in (("markdown", "incident.md"), ("json", "incident.json")):
        assert gonogo(*args, "--format", form).stdout == (out / name).read_text()


def test_nothing_over_its_limit_is_a_message_too() -> None:
    within = Standing(objective=objective("fine"), bad=5, total=10)
    quiet = hostile_incident("fine", 0, normals={}, standings=(within,))
    message = json.loads(slack_incident(quiet))
    assert message["text"].startswith("Nothing over its limit by more than chance explains")
    assert "*Timeline*" not in slack_incident(quiet)
    silent = hostile_incident("fine", 0, normals={}, standings=())
    content = json.loads(pagerduty_json(silent))["note"]["content"]
    assert "Nothing could be judged" in content


def test_a_folder_that_cannot_be_made_does_not_swallow_the_report(tmp_path: Path) -> None:
    (tmp_path / "o").write_text("a file")
    done = gonogo("incident", SAMPLE, "-c", CONFIG, *INCIDENT, "-q", "--state", tmp_path / "s",
                  "-o", tmp_path / "o" / "under")  # fmt: skip
    assert "objectives were over the limit" in done.stdout
    assert done.exit_code == 2
    assert "[U012]" in done.stderr
