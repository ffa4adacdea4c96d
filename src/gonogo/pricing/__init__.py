"""What calls cost: a book of dated prices, and the charge of each call by its tokens."""

from gonogo.pricing.book import Book, Quote
from gonogo.pricing.charge import Charge, charge
from gonogo.pricing.rates import BUCKETS, Rates, Why

__all__ = ["BUCKETS", "Book", "Charge", "Quote", "Rates", "Why", "charge"]
