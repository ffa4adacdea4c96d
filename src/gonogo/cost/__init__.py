"""Where the cost figure comes from, what it is made of, and what it would be elsewhere."""

from gonogo.cost.build import cost_tables
from gonogo.cost.changes import changes, dumps
from gonogo.cost.invoice import Bill, read_invoice

__all__ = ["Bill", "changes", "cost_tables", "dumps", "read_invoice"]
