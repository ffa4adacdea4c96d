"""Objectives judged from counts: status, interval, error budget, excursions."""

from gonogo.slo.data import ObjectiveData
from gonogo.slo.evaluate import evaluate

__all__ = ["ObjectiveData", "evaluate"]
