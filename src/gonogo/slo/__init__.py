"""Objectives judged from counts: status, interval, error budget, excursions."""

from gonogo.slo.data import ObjectiveData
from gonogo.slo.evaluate import evaluate, excursions_of

__all__ = ["ObjectiveData", "evaluate", "excursions_of"]
