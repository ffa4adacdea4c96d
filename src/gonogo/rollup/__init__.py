"""Mergeable counts: map blocks to partials, merge them, store them."""
