"""gonogo init on top of a configuration: what somebody wrote is there afterwards."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from gonogo.cli import main
from gonogo.config.carry import kept
from gonogo.config.init import render_init
from gonogo.config.load import load
from synthetic import synthetic_result

WRITTEN = '''\
# Of the whole file.

# Where we are.
timezone = "Europe/Rome"  # not UTC
top = 30

[slo]
"latency.p95" = "<= 9s"
[slo.error_rate]
limit = "<= 7%"

# Our names.
[fields]
latency_ms = "took"   # since March
# the next one is new
"retrieval.hit" = """rag.\\
found"""
#ttft_ms = "first"

#[logs]
#mapping = "mine.toml"

[[exclude]]
from = 2026-11-18T14:00:00Z
to = 2026-11-18T16:00:00Z
reason = "[site] was down"
owner = "me"
# A second one.
[[exclude]]
from = 2026-11-19T14:00:00Z
to = 2026-11-19T16:00:00Z
reason = "load test"
owner = "me"

[prices]
discount = "10%"
[[prices.model]]
model = "m"
input = "$1"
output = "$2"

[gates]
required = ["owners"]
'''


def anew(text: str) -> str:
    return render_init(synthetic_result(), kept(text))


def test_all_but_the_objectives_is_kept(tmp_path: Path) -> None:
    made = anew(WRITTEN)
    before, after = tomllib.loads(WRITTEN), tomllib.loads(made)
    assert {k: v for k, v in after.items() if k != "slo"} == {
        k: v for k, v in before.items() if k != "slo"
    }
    assert after["slo"] == tomllib.loads(render_init(synthetic_result()))["slo"]
    path = tmp_path / "readiness.toml"
    path.write_text(made)
    assert load(path).fields == {"latency_ms": "took", "retrieval.hit": "rag.found"}


def test_what_is_kept_stands_as_it_was_written_in_place_of_its_draft() -> None:
    made = anew(WRITTEN)
    for piece in (
        '# Where we are.\ntimezone = "Europe/Rome"  # not UTC\n',
        '# Our names.\n[fields]\nlatency_ms = "took"   # since March\n# the next one is new\n',
        'found"""\n#ttft_ms = "first"\n',
        'owner = "me"\n# A second one.\n[[exclude]]\n',
    ):
        assert made.count(piece) == 1
    assert "Names of your log that are not known" not in made
    assert made.count("#[logs]") == 1
    assert made.count("[gates]") == 1
    assert "#[fields]" not in made
    assert "#[[exclude]]" not in made
    assert "#top = 20" not in made
    assert "#minimum_coverage = 0.5" in made


def test_once_more_changes_nothing() -> None:
    once = anew(WRITTEN)
    assert anew(once) == once
    first = render_init(synthetic_result())
    assert anew(first) == first
    used = first.replace("#[fields]", "[fields]").replace("#latency_ms", "latency_ms")
    used = used.replace("#[traffic]", "[traffic]").replace("#target", "target")
    assert anew(used) == used


def test_inline_tables_dotted_keys_and_windows_line_ends() -> None:
    text = """fields.latency_ms = "took"
slo = { error_rate = "<= 1%" }
logs = { mapping = "m" }
""".replace("\n", "\r\n")
    after = tomllib.loads(anew(text))
    assert after["fields"] == {"latency_ms": "took"}
    assert after["logs"] == {"mapping": "m"}
    assert after["timezone"] == "UTC"


PIECES = {
    "fields": '[fields]\nlatency_ms = "a"\n',
    "logs": '# see the wiki\n[logs]\nmapping = [\n  "a.toml", # one\n  "b.toml",\n]\n',
    "site": '[site]\ntitle = "x # [y]"\n#footer = "z"\n',
    "traffic": "[traffic]\ntarget = 7\n",
    "cost": "[cost]\ncalls_per_day = 7\n",
    "tool": '[[tool]]\nname = "a"\n\n[[tool]]\nname = "b"\n',
    "slo": '[slo]\nerror_rate = "<= 3%"\n',
    "compare": "[compare]\nband = 0.2\n",
}


@settings(max_examples=40, deadline=None)
@given(st.permutations(sorted(PIECES)), st.integers(0, len(PIECES)), st.sampled_from(["", "\n"]))
def test_any_sections_in_any_order_are_kept(order: list[str], number: int, gap: str) -> None:
    text = gap.join(PIECES[name] for name in order[:number])
    before, made = tomllib.loads(text), anew(text)
    after = tomllib.loads(made)
    before.pop("slo", None)
    assert {name: after[name] for name in before} == before
    assert anew(made) == made


def log(tmp_path: Path, **more: object) -> None:
    lines = [
        {"timestamp": "2026-11-16T09:00:00Z", "model": "m", "took": 0.5, "status": "ok", **more}
        for _ in range(40)
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_limits_proposed_from_mapped_logs_are_judged_on_mapped_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log(tmp_path)
    Path("readiness.toml").write_text('[fields]\nlatency_s = "took"\n')
    runner = CliRunner()
    refused = runner.invoke(main, ["init", "a.jsonl"])
    assert refused.exit_code == 2
    assert "--force proposes [slo] anew and keeps all else that readiness.toml says" in (
        refused.stderr
    )
    done = runner.invoke(main, ["init", "a.jsonl", "--force"])
    assert done.exit_code == 0
    assert "kept of readiness.toml: [fields]\n" in done.stderr
    written = Path("readiness.toml").read_text()
    assert '"latency.p95" = { limit = "<= 800ms"' in written  # 500 ms and a quarter: 625
    found = runner.invoke(main, ["check", "a.jsonl", "--slo-only", "--format", "json"])
    (latency,) = [o for o in json.loads(found.stdout)["objectives"] if o["id"] == "latency.p95"]
    assert latency["total"] == 40


def test_paths_of_another_folder_are_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log(tmp_path)
    Path("conf").mkdir()
    Path("conf/f.toml").write_text('[fields]\nlatency_s = "took"\n')
    done = CliRunner().invoke(main, ["init", "a.jsonl", "-c", "conf/f.toml", "-o", "new.toml"])
    assert done.exit_code == 0
    assert "paths in it are relative to new.toml: mend those written for conf/f.toml" in done.stderr
    assert load(Path("new.toml")).fields == {"latency_s": "took"}
