"""Where the cost figure comes from, what it is made of, and what it would be elsewhere."""

from gonogo.cost.build import cost_tables
from gonogo.cost.invoice import Bill, read_invoice

__all__ = ["Bill", "cost_tables", "read_invoice"]
