"""Logs in an object store, served by a local one that speaks S3."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from gonogo import pipeline
from gonogo.cli import main
from gonogo.entries import entries_of
from gonogo.errors import InputError, UsageError
from gonogo.ingest import remote
from gonogo.progress import Silent
from gonogo.request import Request
from test_stored import call, write


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = pytest.importorskip("moto.server", reason="moto is not installed: pip install '.[test]'")
    served = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    served.start()
    host, port = served.get_host_and_port()
    yield f"http://{host}:{port}"
    served.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A bucket of its own, and the same files in the folder `logs`."""
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install '.[test]'")
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    remote._file_system.cache_clear()
    store = boto3.resource("s3", region_name="us-east-1", endpoint_url=server)
    made = store.create_bucket(Bucket="logs")
    first = write(tmp_path / "logs/0.jsonl", [call(0, n) for n in range(80)], "{bad")
    packed = tmp_path / "logs/deep/1.jsonl.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(first.read_bytes().replace(b"t0-", b"t1-")))
    rows = [*(call(2, n) for n in range(150)), call(0, 7)]
    pl.DataFrame(rows).write_parquet(tmp_path / "logs/2.parquet", row_group_size=40)
    (tmp_path / "logs/notes.txt").write_text("no log")
    for path in sorted((tmp_path / "logs").rglob("*.*")):
        made.upload_file(str(path), str(path.relative_to(tmp_path / "logs")))
    yield made
    made.objects.delete()
    made.delete()
    remote._file_system.cache_clear()


def counts(*logs: str, **more: Any) -> Any:
    result = pipeline.analyse(Request(logs=logs, config_path=None, **more), Silent())
    ingest = result.ingest
    files = tuple(f.model_copy(update={"path": ""}) for f in ingest.files)
    return (
        result.objectives,
        result.tables,
        result.exemplars,
        ingest.model_copy(update={"files": files, "problems": ()}),
        [(p.code, p.count) for p in ingest.problems],
    )


def test_a_bucket_reads_as_a_folder_does(bucket: Any) -> None:
    found = counts("s3://logs/")
    assert found == counts("logs")
    assert (found[3].lines, found[3].duplicates, found[3].quarantined) == (313, 1, 2)


@pytest.mark.parametrize(
    ("address", "files"),
    [
        ("s3://logs/0.jsonl", 1),
        ("s3://logs/deep", 1),
        ("s3://logs/*.jsonl", 1),
        ("s3://logs/**/*.gz", 1),
        ("s3://logs/*", 3),
        ("s3://logs", 3),
    ],
)
def test_what_an_address_names(bucket: Any, address: str, files: int) -> None:
    if address == "s3://logs/*":  # a pattern takes what it matches, as in a folder
        assert [p.name for p in remote.expand(address, bool)] == [
            "0.jsonl",
            "2.parquet",
            "notes.txt",
        ]
        return
    assert len(counts(address)[3].files) == files


def test_the_command_judges_a_bucket(bucket: Any) -> None:
    found = CliRunner().invoke(main, ["check", "s3://logs/", "--slo-only", "-q"])
    assert found.exit_code in (0, 1, 3), found.output


def test_rollups_of_a_bucket_read_what_is_new(bucket: Any, tmp_path: Path) -> None:
    request = Request(logs=("s3://logs/",), config_path=None)
    assert len(pipeline.roll_up(request, Path("r"), Silent()).made) == 3
    path = write(tmp_path / "3.jsonl", [call(3, n) for n in range(9)])
    bucket.upload_file(str(path), "3.jsonl")
    assert pipeline.roll_up(request, Path("r"), Silent()).made == ["s3://logs/3.jsonl"]
    assert len(entries_of(Path("r"))) == 4


def test_shares_of_a_bucket_are_read_alone(bucket: Any) -> None:
    from gonogo import scale

    plan = scale.plan(["s3://logs/"], share_bytes={"jsonl": 5_000, "parquet": 2_000})
    assert len(plan.shares) > 4
    packs = [pack for share in plan.shares for pack in plan.read(share)]
    plan.save(plan.count(packs), "r")
    kept = counts(rollups=Path("r"))
    assert kept[3].calls == counts("s3://logs/")[3].calls == 310


def problem(address: str) -> Any:
    remote._file_system.cache_clear()
    with pytest.raises(InputError) as caught:
        counts(address)
    (said,) = caught.value.diagnostics
    return said


def test_what_goes_wrong_is_said(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = problem("s3://no-such-bucket/logs/")
    assert (missing.code, missing.what) == ("I050", "there is no bucket no-such-bucket")
    assert problem("s3://logs/nothing.jsonl").code == "I001"
    assert problem("s3://logs/*.csv").code == "I001"
    with pytest.raises(UsageError, match="do not belong into an address"):
        counts("s3://key:secret@logs/")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    silent = problem("s3://logs/")
    assert silent.code == "I052"
    assert "AWS_ENDPOINT_URL" in silent.hint


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("When listing: AWS Error ACCESS_DENIED during ListObjectsV2: Access Denied", "I051"),
        ("When reading: AWS Error UNKNOWN (HTTP status 403): No response body.", "I051"),
        ("AWS Error NO_SUCH_BUCKET during HeadBucket: No response body.", "I050"),
        ("AWS Error NETWORK_CONNECTION: curlCode: 7, Couldn't connect to server", "I052"),
        ("AWS Error INTERNAL_FAILURE: AKIAIOSFODNN7EXAMPLE", "I053"),
    ],
)
def test_every_refusal_has_a_name(text: str, code: str) -> None:
    said = remote.refusal("s3://b/k", OSError(text))
    assert said.code == code
    assert "AKIAIOSFODNN7EXAMPLE" not in str(said)


def test_no_account_is_told_as_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError) as caught:
        remote.expand("az://box/logs/", bool)
    assert caught.value.diagnostics[0].code == "I051"
    assert "AZURE_STORAGE_ACCOUNT_NAME" in caught.value.diagnostics[0].hint
