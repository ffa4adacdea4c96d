"""Readiness beyond telemetry: gates judged from declarations, result files and the logs.

judged = assess(config, observed, evals)   # gates in order, tables for the pages
"""
