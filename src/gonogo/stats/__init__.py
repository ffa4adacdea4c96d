"""Distributions, intervals and tests."""
