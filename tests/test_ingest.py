"""Reading files: every bad input costs what it must and nothing else, and each has its message."""

from __future__ import annotations

import gzip
import io
import os
import signal
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from gonogo.cli import main
from gonogo.errors import Diagnostic, InputError
from gonogo.explain import CODES
from gonogo.ingest import chunks, discover, making
from gonogo.ingest.logs import read_logs
from gonogo.ingest.parts import BlockStore
from hostile import HostileCase, cases, fields, line, write_case
from reading import contents, read, text, write

CASES = {case.name: case for case in cases()}
READABLE = [case for case in CASES.values() if not case.unreadable and case.good_lines]
WITHOUT_LINES = ("empty", "only-blank", "parquet-no-rows")
REFUSED = {
    "all-bad": "I019", "binary": "I005", "parquet-no-known-column": "I021",
    "parquet-cut-in-half": "I022",
}  # fmt: skip


def check_message(diagnostic: Diagnostic) -> None:
    assert diagnostic.code in CODES
    assert diagnostic.where
    assert len(diagnostic.what) > 10
    assert "Traceback" not in str(diagnostic)


def line_numbers(case: HostileCase) -> set[int]:
    """Numbers of the lines of a text file that hold something."""
    data = case.data
    if data.startswith(b"\x1f\x8b"):
        unpack = zlib.decompressobj(wbits=31)
        data = unpack.decompress(data)
        while unpack.unused_data:
            rest, unpack = unpack.unused_data, zlib.decompressobj(wbits=31)
            data += unpack.decompress(rest)
    return {number for number, raw in enumerate(data.split(b"\n"), 1) if raw.strip()}


# --- the hostile set


@pytest.mark.parametrize("case", READABLE, ids=lambda case: case.name)
def test_a_hostile_file_loses_its_bad_lines_and_nothing_else(
    case: HostileCase, tmp_path: Path
) -> None:
    found = read(write_case(case, tmp_path))
    assert found.counts() == (
        case.good_lines + case.bad_lines, case.good_lines, case.bad_lines, 0,
    )  # fmt: skip
    refused = found.logs.trouble.quarantined
    assert len(refused) == case.bad_lines == sum(found.logs.trouble.reasons.values())
    for problem in found.logs.trouble.problems():
        assert problem.code in CODES
        assert problem.count > 0
        assert problem.what
    if not case.filename.endswith(".parquet"):
        numbers = [row["line"] for row in found.rows] + [q.line for q in refused]
        assert len(numbers) == len(set(numbers))
        assert set(numbers) == line_numbers(case)
    for one in refused:
        assert one.code in CODES
        assert one.reason
        assert case.data[one.offset : one.offset + 1].strip() or case.filename.endswith(".gz")


def test_the_whole_hostile_set_is_read_together(tmp_path: Path) -> None:
    for case in READABLE:
        write_case(case, tmp_path)
    found = read(tmp_path)
    good, bad = (sum(getattr(c, f"{kind}_lines") for c in READABLE) for kind in ("good", "bad"))
    assert found.counts() == (good + bad, good, bad, 0)
    by_name = {Path(file.name).name: file for file in found.logs.files}
    for case in READABLE:
        file = by_name[case.filename]
        assert (file.accepted, file.quarantined) == (case.good_lines, case.bad_lines), case.name


@pytest.mark.parametrize("name", WITHOUT_LINES)
def test_a_file_without_lines_is_said_to_be_empty(name: str, tmp_path: Path) -> None:
    found = read(write_case(CASES[name], tmp_path))
    assert found.counts() == (0, 0, 0, 0)
    assert found.codes == ["I004"]


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_a_file_that_is_no_log_is_refused_by_name(name: str, code: str, tmp_path: Path) -> None:
    path = write_case(CASES[name], tmp_path)
    with pytest.raises(InputError) as caught:
        read(path)
    (problem,) = caught.value.diagnostics
    check_message(problem)
    assert problem.code == code
    assert path.name in problem.where
    assert problem.hint


def test_a_log_may_have_any_name(tmp_path: Path) -> None:
    found = read(write_case(CASES["parquet-by-name-only"], tmp_path))
    assert found.counts() == (1, 1, 0, 0)


def test_the_first_reason_is_told_of_the_file_that_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", line("a", 0), b"noise")
    write(tmp_path / "b.jsonl", b"more noise", b"[]")
    with pytest.raises(InputError, match=r"b\.jsonl:1: .*2 lines.*not JSON"):
        read(tmp_path)


def test_conservation_holds_with_everything_at_once(tmp_path: Path) -> None:
    lines = [line("all", i) for i in range(40)]
    write(tmp_path / "a.jsonl", *lines[:30], b"x", lines[3], b"", b"{}")
    write(tmp_path / "b.jsonl.gz", *lines[20:], b"[1]")
    (tmp_path / "c.jsonl").write_bytes((tmp_path / "a.jsonl").read_bytes())
    write(tmp_path / "d.jsonl", b"")
    found = read(tmp_path)
    by_file = [(f.lines, f.accepted, f.quarantined, f.duplicates) for f in found.logs.files]
    assert by_file == [(33, 30, 2, 1), (21, 10, 1, 10), (33, 0, 2, 31), (0, 0, 0, 0)]
    assert found.counts() == (87, 40, 5, 42)


BAD_LINES = {
    "noise": b"noise", "cut": line("bad", 0)[:70], "array": b"[1,2]", "unknown": b'{"x":1}',
    "two objects": line("bad", 1) + b"," + line("bad", 2), "opens a list": b'{"trace_id":"x"},[',
    "opens a string": b'{"trace_id":"x', "closes the array": b'{"trace_id":"x"}]',
    "invalid UTF-8": b"\xff\xfe{", "NUL": b"\x00\x00", "deep": b'{"x":' * 9_000,
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES)
def test_one_bad_line_anywhere_changes_no_other(bad: bytes, tmp_path: Path) -> None:
    good = [
        line("good", i, output="text", retrieval={"hit": bool(i % 2), "chunk_ids": [f"c{i}"]})
        for i in range(9)
    ]
    expected = contents(read(write(tmp_path / "good.jsonl", *good)).rows)
    for at in range(len(good) + 1):
        lines = [*good[:at], bad, *good[at:]]
        found = read(write(tmp_path / "spoilt.jsonl", *lines))
        assert contents(found.rows) == expected
        (refused,) = found.logs.trouble.quarantined
        assert (refused.line, refused.offset) == (at + 1, sum(len(x) + 1 for x in lines[:at]))


def test_lines_that_are_forged_to_balance_shift_nothing(tmp_path: Path) -> None:
    good = [line("good", i) for i in range(40)]
    forged = [
        good[3] + b"," + good[4],
        b'{"\\u0000gonogo":"","trace_id":"x"},{"\\u0000gonogo":"","trace_id":"y"}',
        *([b'{"trace_id":"x","tool_calls":[{"name":"a"}', b'{"name":"b"}],"ok":false}'] * 2),
    ]
    found = read(write(tmp_path / "forged.jsonl", *good[:20], *forged, *good[20:]))
    assert contents(found.rows) == contents(read(write(tmp_path / "good.jsonl", *good)).rows)
    assert [q.line for q in found.logs.trouble.quarantined] == list(range(21, 27))


def test_a_key_like_ours_in_a_line_is_only_an_unknown_field(tmp_path: Path) -> None:
    lines = [{"\x00gonogo": "0", **fields("key", i)} for i in range(3)]
    plain = [fields("key", i) for i in range(3)]
    found = read(write(tmp_path / "ours.jsonl", *lines))
    assert contents(found.rows) == contents(read(write(tmp_path / "plain.jsonl", *plain)).rows)


# --- files


def test_every_packing_gives_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b"".join(line("pack", i) + b"\n" for i in range(300))
    packed = {
        "plain.jsonl": raw,
        "one.jsonl.gz": gzip.compress(raw),
        "members.jsonl.gz": gzip.compress(raw[:9_000]) + gzip.compress(raw[9_000:]),
        "one.jsonl.zst": pa.compress(raw, codec="zstd", asbytes=True),
        "frames.jsonl.zst": pa.compress(raw[:9_000], codec="zstd", asbytes=True)
        + pa.compress(raw[9_000:], codec="zstd", asbytes=True),
        "packed-without-saying-so.log": gzip.compress(raw),
        "crlf.jsonl": raw.replace(b"\n", b"\r\n"),
        "marked-twice.jsonl": b"\n".join(
            b"\xef\xbb\xbf" + row if i in (0, 9) else row for i, row in enumerate(raw.split(b"\n"))
        ),
    }
    expected = contents(read(write(tmp_path / "x.jsonl", raw[:-1])).rows)
    assert len(expected) == 300
    for name, data in packed.items():
        path = tmp_path / name
        path.write_bytes(data)
        found = read(path)
        assert contents(found.rows) == expected, name
        assert found.counts() == (300, 300, 0, 0), name
        stdin = io.TextIOWrapper(io.BytesIO(data))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert contents(read("-").rows) == expected, name


@pytest.mark.parametrize("size", [1, 3, 37, 1_000])
def test_where_a_file_is_cut_into_chunks_does_not_matter(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = b"\xef\xbb\xbf" + b"\n\n".join(
        [line("cut", 0), b"noise", line("cut", 1, output="é\u2028" * 9), b"  ", line("cut", 2)]
    )
    path = tmp_path / "cut.jsonl"
    path.write_bytes(raw)
    whole = read(path)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", size)
    pieces = read(path)
    assert pieces.rows == whole.rows
    assert [row["line"] for row in whole.rows] == [1, 5, 9]
    assert [row["kept"] for row in whole.rows] == [True] * 3
    (refused,) = pieces.logs.trouble.quarantined
    assert raw[refused.offset :].startswith(b"noise")
    assert pieces.logs.files[0].sha256 == whole.logs.files[0].sha256


@pytest.mark.parametrize("packing", ["gz", "zst"])
def test_a_packed_file_that_is_cut_keeps_what_can_be_had(packing: str, tmp_path: Path) -> None:
    raw = b"".join(line("cut", i) + b"\n" for i in range(6_000))
    data = gzip.compress(raw) if packing == "gz" else pa.compress(raw, "zstd", asbytes=True)
    path = tmp_path / f"cut.jsonl.{packing}"
    path.write_bytes(data[: len(data) * 2 // 3])
    found = read(path)
    accepted = found.counts()[1]
    assert 2_500 < accepted < 6_000
    assert "I006" in found.codes
    assert (
        contents(found.rows)
        == contents(read(write(tmp_path / "x.jsonl", raw[:-1])).rows)[:accepted]
    )


def test_a_hole_of_nuls_costs_the_line_it_stands_in(tmp_path: Path) -> None:
    path = tmp_path / "rotated.jsonl"
    path.write_bytes(b"\x00" * 50_000 + b"\n".join([line("nul", 0), line("nul", 1), b""]))
    assert read(path).counts() == (2, 1, 1, 0)


def test_a_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "utf16.jsonl"
    path.write_bytes("".join(text(fields("utf16", i)) + "\n" for i in range(3)).encode("utf-16"))
    with pytest.raises(InputError, match="not a text file"):
        read(path)


def test_folders_and_globs_find_logs_in_order_and_nothing_else(tmp_path: Path) -> None:
    inner = tmp_path / "2026" / "w47"
    inner.mkdir(parents=True)
    names = ["b.jsonl", "a.ndjson.gz", "2026/w47/c.json", "2026/d.log.zst", "2026/e.parquet"]
    for i, name in enumerate(names):
        path, row = tmp_path / name, fields(name, i)
        if name.endswith("zst"):
            path.write_bytes(pa.compress(text(row).encode(), "zstd", asbytes=True))
        elif name.endswith("parquet"):
            pl.DataFrame([row]).write_parquet(path)
        else:
            write(path, row)
    for name in ("notes.txt", ".hidden.jsonl", "2026/.part.jsonl", "readme.md"):
        write(tmp_path / name, "no log")
    found = read(tmp_path)
    assert [str(Path(f.name).relative_to(tmp_path)) for f in found.logs.files] == [
        "2026/d.log.zst", "2026/e.parquet", "2026/w47/c.json", "a.ndjson.gz", "b.jsonl",
    ]  # fmt: skip
    assert found.counts() == (5, 5, 0, 0)
    assert [f.kind for f in found.logs.files] == [
        "jsonl.zstd", "parquet", "jsonl", "jsonl.gzip", "jsonl",
    ]  # fmt: skip
    globbed = read(str(tmp_path / "**" / "*.json*"))
    assert [Path(f.name).name for f in globbed.logs.files] == ["c.json", "b.jsonl"]


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *(line("twice", i) for i in range(3)))
    (tmp_path / "link.jsonl").symlink_to(path)
    for arguments in (
        [path, path],
        [path, tmp_path / "link.jsonl"],
        [tmp_path / "*.jsonl", tmp_path / "a*"],
    ):
        found = read(*arguments)
        assert found.counts() == (3, 3, 0, 0)
        assert set(found.codes) == {"I020"}


def test_a_copy_of_a_file_is_all_duplicates_even_without_ids(tmp_path: Path) -> None:
    rows = [{"latency_ms": i, "status": "ok"} for i in range(5)]
    path = write(tmp_path / "a.jsonl", *rows, "noise")
    (tmp_path / "b.jsonl").write_bytes(path.read_bytes())
    found = read(tmp_path)
    assert found.counts() == (12, 5, 2, 5)
    assert found.logs.files[1].note == f"the same content as {path}"
    assert "I020" in found.codes
    table = pl.DataFrame(rows)
    table.write_parquet(tmp_path / "c.parquet")
    table.write_parquet(tmp_path / "d.parquet")
    assert read(tmp_path / "c.parquet", tmp_path / "d.parquet").counts() == (10, 5, 0, 5)


def test_a_pipe_by_name_is_read_like_stdin(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    raw = gzip.compress(b"".join(line("pipe", i) + b"\n" for i in range(20)))
    # A second file of size zero, like the pipe's: sizes alone must not make anybody look inside.
    write(tmp_path / "empty.jsonl").write_bytes(b"")
    writer = threading.Thread(target=lambda: pipe.write_bytes(raw), daemon=True)
    writer.start()
    signal.alarm(30)  # who opens a pipe twice waits for ever
    try:
        found = read(pipe, tmp_path / "empty.jsonl")
    finally:
        signal.alarm(0)
    writer.join(10)
    assert found.counts() == (20, 20, 0, 0)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
@pytest.mark.parametrize("has_twin", [False, True])
def test_a_file_that_vanishes_costs_itself_only(
    suffix: str, has_twin: bool, tmp_path: Path
) -> None:
    # A file of the size of another one is hashed before it is read.
    for name, size in (("a", 4), ("b", 4 if has_twin else 90), ("c", 4)):
        rows = [fields("a" if has_twin and name == "b" else name, i) for i in range(size)]
        if suffix == "jsonl":
            write(tmp_path / f"{name}.jsonl", *rows)
        else:
            pl.DataFrame(rows).write_parquet(tmp_path / f"{name}.parquet")
    sources = discover.discover([str(tmp_path)])
    (tmp_path / f"b.{suffix}").unlink()
    logs = read_logs(sources, {}, lambda _: None)
    assert [f.accepted for f in logs.files] == [4, 0, 4]
    (problem,) = logs.trouble.files
    check_message(problem)
    assert problem.code == "I002"
    assert "b." in problem.where
    logs.close()


def test_parquet_that_vanishes_or_breaks_later_stops_with_a_message(tmp_path: Path) -> None:
    path = tmp_path / "late.parquet"
    pl.DataFrame([fields("late", i) for i in range(50)]).write_parquet(path)
    whole = path.read_bytes()
    logs = read_logs(discover.discover([str(path)]), {}, lambda _: None)
    path.unlink()
    with pytest.raises(InputError) as caught:
        [load() for load in logs.blocks()]
    assert [d.code for d in caught.value.diagnostics] == ["I002"]
    codes = set()
    for at in range(8, len(whole), 23):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            read(path)
        except InputError as error:
            codes |= {d.code for d in error.diagnostics}
            check_message(error.diagnostics[0])
    assert codes == {"I022"}


def test_reading_that_fails_half_way_keeps_the_lines_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.jsonl", *(line("half", i) for i in range(100)))
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 8_000)
    real = chunks._Counting.read

    def fail(self: Any, size: int = -1) -> bytes:
        if self._reader.bytes_read >= 16_000:
            raise OSError(5, "Input/output error")
        return real(self, size)

    monkeypatch.setattr(chunks._Counting, "read", fail)
    found = read(path)
    assert 40 <= found.counts()[1] < 100
    assert "I002" in found.codes
    assert found.counts()[2] <= 1


def test_more_files_than_two_bytes_can_number(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", line("many", 0), line("many", 1))
    source = discover.discover([str(path)]).sources[0]
    store, maker = BlockStore(), making.Maker({})
    for chunk in chunks.ByteReader(source).chunks():
        made = maker.make(making.Portion(chunk, "a", 70_000))
        assert made.block is not None
        store.add(made.block)
    store.close()
    assert store.parts[0].file.tolist() == [70_000, 70_000]


# --- through the command line


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, args)], prog_name="gonogo")


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GONOGO_ID_KEY", "k" * 32)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "exit_code", "told"),
    [
        ("truncated-last-line", 3, "the line ends too early"),
        ("not-objects", 3, "more than one JSON value"),
        ("gzip-cut-in-half", None, "damaged or cut short"),
        ("deep-nesting", 3, "nested deeper"),
        ("empty", 3, "the file is empty"),
        ("parquet-no-rows", 3, "the file has no rows"),
        ("all-bad", 4, "its 2 lines"),
        ("binary", 4, "not a text file"),
        ("parquet-cut-in-half", 4, "not a sound Parquet file"),
        ("parquet-no-known-column", 4, "no column that is known"),
    ],
)
def test_the_command_line_says_what_was_wrong(
    name: str, exit_code: int | None, told: str, empty_folder: Path
) -> None:
    case = CASES[name]
    path = write_case(case, empty_folder)
    result = run(path)
    said = " ".join((result.stdout + result.stderr).split())
    assert told in said
    assert "internal error" not in said
    if exit_code is not None:
        assert result.exit_code == exit_code, said
    if exit_code == 4:
        assert f"[{REFUSED[name]}]" in said
        assert f"gonogo explain {REFUSED[name]}" in said
    else:
        lines = case.good_lines + case.bad_lines
        assert f"{lines:,} lines = {case.good_lines:,} accepted + {case.bad_lines}" in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing.jsonl"], "no such file or folder"),
        (["*.jsonl"], "the pattern matches no file"),
        (["folder"], "the folder holds no log file"),
        (["calls.jsonk"], "did you mean 'calls.jsonl'?"),
        (["calls.jsonl", "gone"], "no such file or folder"),
    ],
)
def test_no_files_matched(arguments: list[str], told: str, empty_folder: Path) -> None:
    (empty_folder / "folder").mkdir()
    if any(a.startswith("calls") for a in arguments):
        write(empty_folder / "calls.jsonl", line("calls", 0))
    result = run(*arguments)
    assert result.exit_code == 4
    assert told in " ".join(result.stderr.split())
    assert "[I001]" in result.stderr
