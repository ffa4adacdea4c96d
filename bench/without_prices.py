"""`gonogo` as it would be without pricing: what bench/run.py takes the price of prices against."""

from __future__ import annotations

from gonogo import pipeline
from gonogo.__main__ import main

if __name__ == "__main__":
    pipeline.Pricing = lambda *_: None  # type: ignore[assignment,misc]
    main()
