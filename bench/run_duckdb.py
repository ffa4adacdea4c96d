"""Compute all indicators with DuckDB: bench/duckdb.sql over the files that are given.

    python bench/run_duckdb.py FILES… [--out DIR] [--format parquet|json]

FILES are paths or globs of JSONL (plain, .gz, .zst) and Parquet; they are read in the order of
their paths. With --out every result table r_* becomes a file in DIR; without, the tables are
computed and dropped, which is what the bench measures.
"""

from __future__ import annotations

import argparse
import re
import sys
from glob import glob
from pathlib import Path
from time import perf_counter

import duckdb

HERE = Path(__file__).parent
HEADS = {"jsonl": "duckdb_read_jsonl.sql", "parquet": "duckdb_read_parquet.sql"}


def expand(patterns: list[str]) -> list[str]:
    """The files that the paths and globs name, each once, in the order of their paths."""
    files = sorted({name for pattern in patterns for name in glob(pattern)})  # noqa: PTH207 (a pattern may be absolute)
    if not files:
        raise SystemExit(f"no file matches {' '.join(patterns)}")
    return files


def kind_of(file: str) -> str:
    return "parquet" if file.endswith(".parquet") else "jsonl"


def title(sql: str) -> str:
    """The first line of a statement that is not a comment, for the table of times."""
    lines = (re.sub(r"--.*", "", line).strip() for line in sql.splitlines())
    return next((line for line in lines if line), "")[:76]


def compute(
    patterns: list[str],
    *,
    threads: int = 2,
    memory_limit: str | None = None,
    head: Path | None = None,
    times: bool = False,
) -> duckdb.DuckDBPyConnection:
    """A connection that holds the result tables r_* of bench/duckdb.sql over the files.

    ``head`` is another script that creates the view ``lines`` from the variable ``files``.
    """
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    if memory_limit:
        connection.execute(f"SET memory_limit = '{memory_limit}'")
    files = expand(patterns)
    kinds = {kind_of(file) for file in files}
    if head or len(kinds) == 1:
        read(connection, head or HERE / HEADS[kinds.pop()], files, times)
    else:
        read_mixed(connection, files)
    run_script(connection, HERE / "duckdb.sql", times)
    return connection


def run_script(connection: duckdb.DuckDBPyConnection, script: Path, times: bool = False) -> None:
    for statement in duckdb.extract_statements(script.read_text()):
        start = perf_counter()
        connection.execute(statement)
        if times:
            print(f"{perf_counter() - start:8.2f} s  {title(statement.query)}", file=sys.stderr)


def read(
    connection: duckdb.DuckDBPyConnection, head: Path, files: list[str], times: bool = False
) -> None:
    """Create the view ``lines`` over files of one kind."""
    quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
    connection.execute(f"SET VARIABLE files = [{quoted}]")
    run_script(connection, head, times)


def read_mixed(connection: duckdb.DuckDBPyConnection, files: list[str]) -> None:
    """Create the view ``lines`` over files of both kinds: one by one into a table, in order."""
    read(connection, HERE / HEADS["jsonl"], [next(f for f in files if kind_of(f) == "jsonl")])
    connection.execute("CREATE TEMP TABLE mixed AS FROM lines WHERE false")
    for number, file in enumerate(files):
        read(connection, HERE / HEADS[kind_of(file)], [file])
        connection.execute(
            f"INSERT INTO mixed BY NAME SELECT * REPLACE ({number << 40} + row_key AS row_key) "
            "FROM lines"
        )
    connection.execute("CREATE OR REPLACE TEMP VIEW lines AS FROM mixed")


def result_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, 'r_') ORDER BY 1"
    )
    return [name for (name,) in found.fetchall()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILES")
    parser.add_argument("--out", type=Path, metavar="DIR")
    parser.add_argument("--format", choices=["parquet", "json"], default="parquet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", help="as DuckDB takes it: 4GB; default: 80 %% of memory")
    parser.add_argument("--times", action="store_true", help="time of each statement, on stderr")
    args = parser.parse_args()
    connection = compute(
        args.files,
        threads=args.threads,
        memory_limit=args.memory_limit,
        times=args.times,
    )
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        for table in result_tables(connection):
            path = str(args.out / f"{table}.{args.format}").replace("'", "''")
            connection.execute(f"COPY {table} TO '{path}' (FORMAT {args.format})")
    print(connection.sql("FROM r_lines"))


if __name__ == "__main__":
    main()
