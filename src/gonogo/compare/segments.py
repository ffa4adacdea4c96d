"""Parts of one log against each other: a release, model, prompt version, provider and so on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gonogo.compare.changes import EXTRA, change, ordered
from gonogo.compare.samples import of_side
from gonogo.config.expressions import parse_objective
from gonogo.config.model import Config, Contrast, Objective
from gonogo.conventions import Source
from gonogo.results import Comparison
from gonogo.rollup.blocks import NOTHING, Contrasts, Side
from gonogo.rollup.objectives import counted
from gonogo.rollup.partial import Partial

Label = Callable[[str, str], str]
_MIXES = {"model": ("operation",), "provider": ("operation",), "operation": ("model",)}
"""What the mix is made of where one of its own parts is compared; a model has one provider."""


def apart(config: Config, contrasts: Sequence[Contrast]) -> Contrasts:
    """What the map step counts apart: two sides of each comparison, in order."""
    if not contrasts:
        return NOTHING
    found = []
    for each in contrasts:
        found.append(Side(each.dimension, each.new))
        found.append(Side(each.dimension, each.old or each.new, others=each.old is None))
    return Contrasts(tuple(found), _figures(config)[len(config.objectives) :])


def _figures(config: Config) -> tuple[Objective, ...]:
    """The objectives, then the usual figures that are not among them."""
    have = {o.id for o in config.objectives}
    extra = (parse_objective(key, limit, source=Source.DEFAULT) for key, limit in EXTRA)
    return (*map(counted, config.objectives), *(o for o in extra if o.id not in have))


def compare_segments(
    partial: Partial, config: Config, contrasts: Sequence[Contrast], label: Label
) -> tuple[Comparison, ...]:
    """Each comparison; `partial` was counted with what `apart` says."""
    return tuple(
        _compared(partial, config, each, number, label) for number, each in enumerate(contrasts)
    )


def _compared(
    partial: Partial, config: Config, contrast: Contrast, number: int, label: Label
) -> Comparison:
    name = contrast.dimension.replace("_", " ").removesuffix(" id")
    new = label(contrast.dimension, contrast.new)
    old = label(contrast.dimension, contrast.old) if contrast.old else f"every other {name}"
    slug = re.sub(r"[^a-z0-9]+", "-", f"{name} {new} {old}".lower()).strip("-")
    settings, mix = config.compare, _MIXES.get(contrast.dimension, ("model", "operation"))
    changes, gone = [], set()
    for index, objective in enumerate(_figures(config)):
        if objective.spec.kind == "projection" or objective.segment is not None:
            continue
        here, there = (of_side(partial, index, 2 * number + side) for side in (1, 2))
        if not here.height and not there.height:
            continue
        gone |= {side for side, rows in ((new, here), (old, there)) if not rows.height}
        counts = index < len(config.objectives)
        if not counts and not (here.height and there.height):
            continue
        changes.append(
            change(objective, here, there, settings, mix=mix, paired=True, counts=counts)
        )
    empty = not changes or not any(c.new_total and c.old_total for c in changes)
    missing = " and ".join(sorted(gone)) if gone else f"{new} and {old}"
    return Comparison(
        id=f"compare-{number + 1}-{slug}"[:80],
        title=f"{name[:1].upper()}{name[1:]} {new} against {old}",
        kind="segment",
        new=new,
        old=old,
        refused=f"no calls of {name} {missing}" if empty else "",
        changes=() if empty else ordered(changes),
    )
