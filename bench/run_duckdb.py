"""Compute all indicators with DuckDB: bench/duckdb.sql over the files that are given.

    python bench/run_duckdb.py FILES… [--out DIR] [--format parquet|json]

FILES are JSONL or Parquet (not both): paths or globs. With --out every result table r_* becomes a
file in DIR; without, the tables are computed and dropped, which is what the bench measures.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from time import perf_counter

import duckdb

HERE = Path(__file__).parent
HEADS = {"jsonl": "duckdb_read_jsonl.sql", "parquet": "duckdb_read_parquet.sql"}


def kind_of(files: list[str]) -> str:
    """``jsonl`` or ``parquet``, by the names; mixed input is a usage error."""
    kinds = {"parquet" if name.endswith(".parquet") else "jsonl" for name in files}
    if len(kinds) != 1:
        raise SystemExit("FILES must be all JSONL or all Parquet")
    return kinds.pop()


def title(sql: str) -> str:
    """The first line of a statement that is not a comment, for the table of times."""
    lines = (re.sub(r"--.*", "", line).strip() for line in sql.splitlines())
    return next((line for line in lines if line), "")[:76]


def compute(
    files: list[str],
    *,
    threads: int = 2,
    memory_limit: str | None = None,
    head: Path | None = None,
    times: bool = False,
) -> duckdb.DuckDBPyConnection:
    """A connection that holds the result tables r_* of bench/duckdb.sql over ``files``."""
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    if memory_limit:
        connection.execute(f"SET memory_limit = '{memory_limit}'")
    quoted = ", ".join("'" + name.replace("'", "''") + "'" for name in files)
    connection.execute(f"SET VARIABLE files = [{quoted}]")
    for script in [head or HERE / HEADS[kind_of(files)], HERE / "duckdb.sql"]:
        for statement in duckdb.extract_statements(script.read_text()):
            start = perf_counter()
            connection.execute(statement)
            if times:
                print(f"{perf_counter() - start:8.2f} s  {title(statement.query)}", file=sys.stderr)
    return connection


def result_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'r\\_%' ESCAPE '\\' ORDER BY 1"
    )
    return [name for (name,) in found.fetchall()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILES")
    parser.add_argument("--out", type=Path, metavar="DIR")
    parser.add_argument("--format", choices=["parquet", "json"], default="parquet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory-limit", help="as DuckDB takes it: 4GB; default: 80 %% of memory")
    parser.add_argument("--head", type=Path, help="another script that creates the view `lines`")
    parser.add_argument("--times", action="store_true", help="time of each statement, on stderr")
    args = parser.parse_args()
    connection = compute(
        args.files,
        threads=args.threads,
        memory_limit=args.memory_limit,
        head=args.head,
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
