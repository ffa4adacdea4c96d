"""Counting on Spark: it hands out shares, shuffles records by trace, and joins what was counted.

Only DataFrames are used, so that a local session, a cluster by spark-submit and Spark Connect are
the same. A task that dies is run again by Spark: what it does depends on its input alone.
"""

from __future__ import annotations

import os
import pickle
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from gonogo import scale
from gonogo.errors import Diagnostic, UsageError
from gonogo.privacy import clean_label

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from gonogo.request import Run
    from gonogo.stored import Rolled

_SHARE: Final = "number long, data binary"
_PACK: Final = "bucket long, place long, data binary"
_COUNTS: Final = "bucket long, data binary"
_JOINED_BY: Final = 16
"""Counts that one task joins into one, while there are many."""
_CONF: Final = {
    # A row is a pack of some 100 KB to some MB, not a number.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "16",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Few rows, each much work: they are not to be put together by their size.
    "spark.sql.adaptive.enabled": "false",
}
_ENVIRONMENT: Final = {
    # Spark runs as many tasks as there are processors.
    "POLARS_MAX_THREADS": "1",
    "ARROW_NUM_THREADS": "1",
}

Batches = Iterable[pa.RecordBatch]


def roll_up(run: Run, folder: Path, master: str | None = None) -> Rolled:
    """Count all files of the run together on Spark, and keep them as one entry of a store.

    The session is the one that is there, as under spark-submit; else `master` says where it is
    made, all processors of this machine by default.

    Raises:
        UsageError: Spark is not installed, or gave up.
        InputError: a file cannot be read; nothing is kept.
    """
    plan = scale.of_run(run)

    def counted() -> scale.Counts:
        with _session(master) as spark:
            return count(plan, spark)

    return plan.roll_up(folder, counted)


def count(plan: scale.Plan, spark: SparkSession) -> scale.Counts:
    """The counts of a plan's shares, worked out on a session.

    Raises:
        UsageError: Spark gave up.
    """
    from pyspark.errors import PySparkException

    try:
        with _configured(spark):
            # Of an input without a share there is still a count: of nothing.
            rows = _counts(plan, spark).toArrow().to_pylist() if plan.shares else []
    except PySparkException as error:
        what = f"Spark gave up: {_reason(error)}"
        hint = "its own log says more; a task that needs too much memory wants more buckets"
        raise UsageError([Diagnostic("U056", "--engine spark", what, hint)]) from error
    return scale.join([scale.Counts.unpacked(row["data"]) for row in rows] or [plan.count([])])


def _counts(plan: scale.Plan, spark: SparkSession) -> DataFrame:
    from pyspark.sql.functions import col

    shares = pa.table(
        {
            "number": pa.array(range(len(plan.shares)), pa.int64()),
            "data": pa.array([pickle.dumps(share) for share in plan.shares], pa.binary()),
        }
    )
    at_once = max(len(plan.shares), 1)
    # By number, so that each is a task of its own: hashes of few numbers collide, and some tasks
    # would have two and others none.
    found = (
        spark.createDataFrame(shares, _SHARE)
        .repartitionById(at_once, col("number").cast("int"))
        .mapInArrow(_reading(plan.read), _PACK)
        .repartitionById(plan.buckets, col("bucket").cast("int"))
        .sortWithinPartitions("bucket", "place")
        .mapInArrow(_counting(plan.count), _COUNTS)
    )
    many = plan.buckets
    while many > _JOINED_BY:
        many = -(-many // _JOINED_BY)
        part = (col("bucket") % many).cast("int")
        found = found.repartitionById(many, part).mapInArrow(_joining, _COUNTS)
    return found


# What follows runs in tasks.


def _reading(read: Callable[[scale.Share], list[scale.Pack]]) -> Any:
    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        for share in _column(batches, "data"):
            for pack in read(pickle.loads(share)):
                yield _batch(bucket=pack.bucket, place=pack.order, data=pack.data)

    return task


def _counting(counting: Callable[[Iterable[scale.Pack]], scale.Counts]) -> Any:
    def task(batches: Batches) -> Iterator[pa.RecordBatch]:
        packs = (
            scale.Pack(row["bucket"], row["place"], row["data"])
            for batch in batches
            for row in batch.to_pylist()
        )
        # Sorted by bucket and place: one bucket at a time is held.
        for bucket, own in groupby(packs, lambda pack: pack.bucket):
            yield _batch(bucket=bucket, data=counting(own).packed())

    return task


def _joining(batches: Batches) -> Iterator[pa.RecordBatch]:
    from pyspark import TaskContext

    counts = [scale.Counts.unpacked(data) for data in _column(batches, "data")]
    if counts:
        number = TaskContext.get().partitionId()
        yield _batch(bucket=number, data=scale.join(counts).packed())


def _column(batches: Batches, name: str) -> Iterator[bytes]:
    for batch in batches:
        yield from batch.column(name).to_pylist()


def _batch(**values: int | bytes) -> pa.RecordBatch:
    kinds = {name: pa.binary() if name == "data" else pa.int64() for name in values}
    return pa.RecordBatch.from_pydict(
        {name: [value] for name, value in values.items()},
        schema=pa.schema(list(kinds.items())),
    )


# The session.


@contextmanager
def _session(master: str | None) -> Iterator[SparkSession]:
    """The session that is there, or one of our own, which ends with the work."""
    for name in ("pyspark", "pandas"):
        if find_spec(name) is None:
            what, hint = f"{name} is not installed", "pip install 'gonogo[spark]'"
            raise UsageError([Diagnostic("U055", "--engine spark", what, hint)])
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    there = SparkSession.getActiveSession()
    if there is not None:
        yield there
        return
    builder = SparkSession.builder.appName("gonogo")
    if master:
        builder = builder.remote(master) if master.startswith("sc://") else builder.master(master)
    # What is printed is gonogo's; Spark's own page would open a port.
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    builder = builder.config("spark.ui.enabled", "false")
    for name, value in _ENVIRONMENT.items():
        builder = builder.config(f"spark.executorEnv.{name}", value)
    if not master or master.startswith("local"):
        # Workers on this machine are of this environment, not whatever python3 is.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        spark = builder.getOrCreate()
    except (PySparkException, OSError, RuntimeError) as error:
        what = f"Spark does not start: {_reason(error)}"
        hint = "it needs Java 17 or newer (Debian: apt-get install default-jre-headless)"
        raise UsageError([Diagnostic("U055", "--engine spark", what, hint)]) from error
    try:
        yield spark
    finally:
        spark.stop()


def _reason(error: Exception) -> str:
    """One line of what may be hundreds: the error of the Python worker, if it is one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if re.match(r"[\w.]+(Error|Exception): ", line)]
    return clean_label((told or lines or [type(error).__name__])[0], 300)


@contextmanager
def _configured(spark: SparkSession) -> Iterator[None]:
    """The session as this work needs it, and afterwards as it was."""
    before = {name: spark.conf.get(name, None) for name in _CONF}
    for name, value in _CONF.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                spark.conf.unset(name)
            else:
                spark.conf.set(name, old)
