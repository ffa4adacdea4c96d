"""What every part of a result is built of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Scalar = int | str | bool | None
Epoch = Annotated[int, Field(description="seconds since 1970-01-01T00:00:00Z")]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(Model):
    """One column of a table.

    `kind` says how a cell comes about: `value` is stored under `key`; `ratio` and `mean` are
    divided when shown, from the stored columns `num` and `den` (so that sums stay possible).
    `hidden` columns are stored and downloadable, but not shown on the page.
    """

    key: str
    title: str
    unit: Literal[
        "text", "count", "us", "ratio", "nano_usd", "tokens", "milli_tps", "time", "score"
    ]
    kind: Literal["value", "ratio", "mean", "hidden"] = "value"
    num: str | None = None
    den: str | None = None
    help: str = ""


class Table(Model):
    """A columnar table: `data[key]` holds one list per stored column, all of one length."""

    id: str
    title: str
    columns: tuple[Column, ...]
    data: dict[str, list[Scalar]]
    note: str = ""

    @property
    def height(self) -> int:
        return len(next(iter(self.data.values()), []))


class Period(Model):
    """What was looked at: [start, end) in epoch seconds; None where no record has a time."""

    label: str
    start: Epoch | None
    end: Epoch | None
    first: Epoch | None = Field(description="time of the earliest record")
    last: Epoch | None = Field(description="time of the newest record")
    timezone: str
    provisional: bool = Field(
        description="the period ended less than 24 hours before the newest record"
    )
    untimed_calls: int
