"""Reading the result files of evaluation tools; one function a format.

promptfoo, Inspect, DeepEval, Ragas, OpenAI evals, and gonogo's own JSON lines, CSV and Parquet.
What a file is, is told by its first keys. Large documents are read item by item.
"""

from __future__ import annotations

import csv
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

from gonogo.config.evidence import Evals
from gonogo.evidence.cases import (
    ERRORED,
    FAILED,
    PASSED,
    UNSCORED,
    Cases,
    case_id,
    first,
    flag,
    hashed,
    texts,
    whole,
    worst,
)

_KEYS_LOOKED_AT: Final = 40
_LARGEST_MEMBER: Final = 256 << 20
_HELD_WHOLE: Final = 8 << 20
_ZSTD: Final = 93
_RAGAS_TEXTS: Final = frozenset(
    ["user_input", "retrieved_contexts", "response", "reference", "reference_contexts", "rubrics"]
)
_GRADES: Final = {"C": PASSED, "I": FAILED, "P": FAILED, "N": FAILED}
"""Inspect's words for correct, incorrect, partial and no answer; a part is not a pass."""

Row = dict[str, Any]


class UnreadableError(ValueError):
    """A file that holds no results that are known; the text says why, and what to try."""


def read_cases(path: Path, evals: Evals) -> Cases:
    """The cases of a file.

    Raises:
        UnreadableError: it is missing, broken, or of no format that is known.
    """
    cases = Cases(evals)
    try:
        _read(path, cases)
    except OSError as error:
        raise UnreadableError(error.strerror or "it cannot be read") from None
    except UnicodeDecodeError:
        raise UnreadableError("it is not UTF-8") from None
    except (ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(f"it is broken ({type(error).__name__})") from None
    return cases


def _read(path: Path, cases: Cases) -> None:
    suffix = path.suffix.lower()
    if suffix == ".eval":
        _inspect_archive(path, cases)
    elif suffix == ".parquet":
        _rows(_parquet(path), cases)
    elif suffix == ".csv":
        _rows(_csv(path), cases)
    else:
        _text(path, cases)


def _text(path: Path, cases: Cases) -> None:
    keys = _first_keys(path)
    for marks, kind, read in _DOCUMENTS:
        if marks <= keys:
            cases.kind = kind
            with path.open("rb") as file:
                read(file, cases)
            return
    if "[" in keys:
        with path.open("rb") as file:
            _rows(items(file, "item"), cases)
    elif "spec" in keys:
        cases.kind = "OpenAI evals"
        _openai(_lines(path, cases), cases)
    elif {"promptIdx", "success"} <= keys:
        cases.kind = "promptfoo"
        for row in _lines(path, cases):
            _promptfoo_row(row, cases)
    else:
        _rows(_lines(path, cases), cases)


def _first_keys(path: Path) -> set[str]:
    """Keys of the first JSON object of a file, up to the one that tells what it is; "[": a list."""
    import ijson

    found: set[str] = set()
    with path.open("rb") as file:
        try:
            for prefix, event, value in ijson.parse(file):
                if not prefix and event == "start_array":
                    return {"["}
                if not prefix and event == "map_key":
                    found.add(value)
                    known = any(marks <= found for marks, _, _ in _DOCUMENTS)
                    if known or len(found) > _KEYS_LOOKED_AT:
                        return found
                if not prefix and event == "end_map":
                    return found
        except ijson.JSONError:
            if not found:
                raise UnreadableError("it is not JSON, CSV or Parquet") from None
    return found


def items(file: IO[bytes], prefix: str) -> Iterator[Row]:
    """The objects of a list in a document; a large document is never held as a whole."""
    import ijson

    try:
        if os.fstat(file.fileno()).st_size <= _HELD_WHOLE:
            # Python's reader takes the NaN that Python's writers write; ijson does not.
            yield from (row for row in _at(json.load(file), prefix) if isinstance(row, dict))
            return
        for item in ijson.items(file, prefix, use_float=True):
            if isinstance(item, dict):
                yield item
    except (ijson.JSONError, json.JSONDecodeError):
        raise UnreadableError("it breaks off, or is not JSON") from None


def _at(document: Any, prefix: str) -> list[Any]:
    for name in prefix.removesuffix("item").rstrip(".").split("."):
        if name:
            document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, list) else []


def _lines(path: Path, cases: Cases) -> Iterator[Row]:
    with path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                cases.troubles["lines are not JSON"] += 1
                continue
            if isinstance(row, dict):
                yield row
            else:
                cases.troubles["lines are no object"] += 1


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        heads = list(reader.fieldnames or ())
        if len(set(heads)) < len(heads):
            hint = "; promptfoo writes whole results with -o results.json"
            raise UnreadableError(f"two of its columns have one name{hint}")
        yield from reader


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=8192):
            yield from batch.to_pylist()


# --- gonogo's own, and Ragas ----------------------------------------------------------------------


def _rows(rows: Iterable[Row], cases: Cases) -> None:
    for row in rows:
        if "user_input" in row and "case_id" not in row:
            cases.kind = "Ragas"
            _ragas_row(row, cases)
        else:
            _own_row(row, cases)
    cases.kind = cases.kind or "gonogo"


def _own_row(row: Row, cases: Cases) -> None:
    """A case; a line of a trace log counts where it carries the case in `eval`."""
    case = row
    logged = first(row, "eval", "evaluation")
    if isinstance(logged, dict):
        case = {**{k: row[k] for k in ("model", "prompt_version") if k in row}, **logged}
    elif "trace_id" in row and first(row, "case_id") is None:
        return
    name = case_id(first(case, "case_id", "task_id", "id", "case"))
    if name is None:
        cases.troubles["cases have no case_id"] += 1
        return
    outcome = _own_outcome(case, cases)
    cases.add(
        name,
        outcome,
        repeat=whole(first(case, "repeat", "trial", "epoch")),
        tags=texts(first(case, "tags", "tag")),
        critical=flag(case.get("critical")),
        labeller=first(case, "labeller", "labeler", "labelled_by", "annotator"),
        judged=first(case, "judged_by", "judge") is not None,
        stage=case.get("stage"),
        prompt_version=case.get("prompt_version"),
        model=first(case, "response_model", "model"),
        retrieval=first(case, "retrieval", "embedding_model"),
        expected=first(case, "expected", "expected_output", "ideal"),
        answered=first(case, "output_hash", "output"),
    )


def _own_outcome(case: Row, cases: Cases) -> str:
    if first(case, "error", "errored") not in (None, False):
        return ERRORED
    written = first(case, "passed", "pass", "success")
    if written is not None:
        passed = flag(written)
        if passed is None:
            return UNSCORED
        # A score beside it is held to its range all the same.
        if "score" in case and cases.scored(case["score"], 0) == UNSCORED:
            return UNSCORED
        return PASSED if passed else FAILED
    return cases.scored(case.get("score"), case.get("threshold"), str(case.get("metric", "")))


def _ragas_row(row: Row, cases: Cases) -> None:
    """One column a metric; NaN and empty cells mean that the metric failed."""
    metrics = {
        name: value
        for name, value in row.items()
        if name not in _RAGAS_TEXTS and not isinstance(value, (list, dict))
    }
    outcomes = [cases.scored(value, metric=name) for name, value in metrics.items()]
    cases.add(hashed(row["user_input"]), worst(outcomes), judged=True)


# --- promptfoo ------------------------------------------------------------------------------------


def _told(passed: object) -> str:
    """The outcome that a file tells as true or false; whatever else stands there tells none."""
    if not isinstance(passed, (bool, int, float, Decimal)) or passed not in (0, 1):
        return UNSCORED
    return PASSED if passed else FAILED


def _promptfoo(file: IO[bytes], cases: Cases) -> None:
    for row in items(file, "results.results.item"):
        _promptfoo_row(row, cases)


def _promptfoo_row(row: Row, cases: Cases) -> None:
    """`failureReason`: 0 none, 1 an assertion, 2 an error; a failed assertion fills `error` too."""
    test = row.get("testCase") if isinstance(row.get("testCase"), dict) else {}
    assert isinstance(test, dict)
    outcome = ERRORED if row.get("failureReason") == 2 else _told(row.get("success"))
    found = test.get("metadata")
    metadata: Row = found if isinstance(found, dict) else {}
    provider = row.get("provider")
    if isinstance(provider, dict):
        provider = provider.get("id")
    prompt = row.get("promptId") or row.get("promptIdx")
    cases.add(
        case_id(test.get("description")) or hashed(row.get("vars") or test.get("vars")),
        outcome,
        tags=texts(metadata.get("tags")),
        critical=flag(metadata.get("critical")),
        labeller=metadata.get("labeller"),
        # The text of a prompt is never published: its hash names the version.
        prompt_version=None if prompt is None else f"prompt-{str(prompt)[:8]}",
        model=str(provider).rpartition(":")[2] if provider else None,
    )


# --- Inspect --------------------------------------------------------------------------------------


def _inspect(file: IO[bytes], cases: Cases) -> None:
    header = _scalars(file, ("status", "eval.model"))
    _inspect_header(header.get("status"), cases)
    file.seek(0)
    for sample in items(file, "samples.item"):
        _inspect_sample(sample, header.get("eval.model"), cases)


def _scalars(file: IO[bytes], wanted: tuple[str, ...]) -> dict[str, Any]:
    import ijson

    found: dict[str, Any] = {}
    try:
        for prefix, event, value in ijson.parse(file):
            if prefix in wanted and event == "string":
                found[prefix] = value
            if prefix == "samples" or len(found) == len(wanted):
                break
    except ijson.JSONError:
        pass  # said when the samples are read
    return found


def _inspect_archive(path: Path, cases: Cases) -> None:
    cases.kind = "Inspect"
    with zipfile.ZipFile(path) as archive, path.open("rb") as raw:
        names = {info.filename: info for info in archive.infolist()}
        head = next((names[n] for n in ("header.json", "_journal/start.json") if n in names), None)
        if head is None:
            raise UnreadableError("it is not an Inspect log: it has no header.json")
        header = json.loads(_member(archive, head, raw))
        _inspect_header(header.get("status", "started"), cases)
        model = header.get("eval", {}).get("model")
        for name in sorted(names):
            if name.startswith("samples/") and name.endswith(".json"):
                sample = json.loads(_member(archive, names[name], raw))
                _inspect_sample(sample, model, cases)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, raw: IO[bytes]) -> bytes:
    """The bytes of a member; Zstandard (method 93) is not in Python's zipfile before 3.14."""
    if info.file_size > _LARGEST_MEMBER:
        raise UnreadableError(f"{info.filename[:80]} is larger than 256 MB")
    if info.compress_type != _ZSTD:
        return archive.read(info)
    import pyarrow as pa

    # The name and the extra field before the data may differ from those of the directory.
    raw.seek(info.header_offset)
    local = raw.read(30)
    skip = int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little")
    raw.seek(skip, 1)
    packed = raw.read(info.compress_size)
    data: bytes = pa.Codec("zstd").decompress(packed, info.file_size, asbytes=True)
    return data


def _inspect_header(status: Any, cases: Cases) -> None:
    if status not in (None, "success"):
        cases.notes.append(f"the run did not end well (status {str(status)[:20]})")


def _inspect_sample(sample: Row, model: Any, cases: Cases) -> None:
    """A sample with an error, or one that no scorer judged, is no pass."""
    scores = sample.get("scores")
    if scores is None and isinstance(sample.get("score"), dict):
        scores = {"score": sample["score"]}
    if sample.get("error"):
        outcome = ERRORED
    elif isinstance(scores, dict):
        outcome = worst([_grade(name, score, cases) for name, score in scores.items()])
    else:
        outcome = UNSCORED
    found = sample.get("metadata")
    metadata: Row = found if isinstance(found, dict) else {}
    cases.add(
        case_id(sample.get("id")) or hashed(sample.get("input")),
        outcome,
        repeat=whole(sample.get("epoch")),
        tags=texts(metadata.get("tags")),
        critical=flag(metadata.get("critical")),
        labeller=metadata.get("labeller"),
        model=str(model).rpartition("/")[2] if model else None,
    )


def _grade(name: str, score: Any, cases: Cases) -> str:
    value = score.get("value") if isinstance(score, dict) else score
    if isinstance(value, bool):
        return PASSED if value else FAILED
    if isinstance(value, str) and value in _GRADES:
        return _GRADES[value]
    if isinstance(value, dict):
        return worst([_grade(name, inner, cases) for inner in value.values()])
    return cases.scored(value, metric=name)


# --- DeepEval and OpenAI evals --------------------------------------------------------------------


def _deepeval(file: IO[bytes], cases: Cases) -> None:
    for prefix in ("testCases.item", "conversationalTestCases.item"):
        file.seek(0)
        for row in items(file, prefix):
            metrics = [m for m in row.get("metricsData") or [] if isinstance(m, dict)]
            has_failed = any(m.get("error") for m in metrics)
            outcome = ERRORED if has_failed else _told(row.get("success"))
            metadata = row.get("additionalMetadata")
            metadata = metadata if isinstance(metadata, dict) else {}
            cases.add(
                case_id(row.get("name")) or hashed(row.get("input")),
                outcome,
                tags=texts(row.get("tags")),
                critical=flag(metadata.get("critical")),
                labeller=metadata.get("labeller"),
                judged=any(m.get("evaluationModel") for m in metrics),
            )


def _openai(rows: Iterable[Row], cases: Cases) -> None:
    """Events of one run; the last word on a sample counts, and an error outweighs a match."""
    model: Any = None
    found: dict[str, list[str]] = {}
    for row in rows:
        if isinstance(row.get("spec"), dict):
            functions = row["spec"].get("completion_fns")
            model = functions[0] if isinstance(functions, list) and functions else None
        name = case_id(row.get("sample_id"))
        if name is None:
            continue
        data: Mapping[str, Any] = row["data"] if isinstance(row.get("data"), dict) else {}
        outcomes = found.setdefault(name, [])
        if row.get("type") == "error":
            outcomes.append(ERRORED)
        elif row.get("type") == "match":
            outcomes.append(_told(data.get("correct")))
        elif row.get("type") == "metrics" and "score" in data:
            outcomes.append(cases.scored(data["score"]))
    for name, outcomes in found.items():
        cases.add(name, worst(outcomes), model=model)


_DOCUMENTS: Final[tuple[tuple[set[str], str, Callable[[IO[bytes], Cases], None]], ...]] = (
    ({"evalId", "results"}, "promptfoo", _promptfoo),
    ({"version", "status", "eval"}, "Inspect", _inspect),
    ({"testCases"}, "DeepEval", _deepeval),
)
