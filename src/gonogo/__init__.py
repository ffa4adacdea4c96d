"""gonogo: a readiness verdict and a static site from the trace logs of an LLM application."""

__version__ = "0.1.0"
