"""What is asked of an explainer, and how its features and outputs are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from driftline.core.errors import InputError
from driftline.engine.names import by_place
from driftline.serving.explain.coalitions import Method
from driftline.serving.explain.local import Array, Progress, Space

Link = Literal["identity", "logit", "other"]


@dataclass(frozen=True)
class Wanted:
    """The options of :func:`~driftline.serving.explain.explainer.open_explainer`."""

    features: tuple[str, ...] = ()
    baseline: Array | None = None
    samples: int = 0
    seed: int = 0
    use_logit: bool = False
    classes: tuple[str, ...] = ()
    space: Space = "margin"
    sampler: Method = "permutation_shap"
    progress: Progress | None = None

    def __post_init__(self) -> None:
        if self.samples < 0:
            raise InputError("samples cannot be below 0", evidence=str(self.samples), hint="0 lets driftline choose")
        if self.sampler not in get_args(Method) or self.space not in get_args(Space):
            evidence = f"sampler {self.sampler!r}, space {self.space!r}"
            hint = f"a sampler is one of {', '.join(get_args(Method))}, a space one of {', '.join(get_args(Space))}"
            raise InputError("there is no such sampler or space", evidence=evidence, hint=hint)

    def explains_margin(self, link: Link) -> bool:
        """Whether the space asked for is that of the model's margin, which ``link`` makes from the output: identity
        where it is the output, logit where it is the log-odds of a probability."""
        if link == "identity":
            return not self.use_logit
        if link == "logit":
            return self.use_logit or self.space == "margin"
        return self.space == "margin" and not self.use_logit

    def against(self, baseline: Array | None) -> Wanted:
        """The same with these baseline rows."""
        return replace(self, baseline=baseline)

    def baseline_rows(self) -> Array:
        """The baseline rows; :class:`InputError` where there are none."""
        if self.baseline is None or not len(self.baseline):
            hint = (
                "give rows that stand for unknown features: from Python choose_baseline(rows), else make the baseline"
                " with --baseline-rows, or with --endpoint, which keeps some"
            )
            raise InputError("this model is explained against baseline rows, and there are none", hint=hint)
        return self.baseline


def feature_names(wanted: Wanted, count: int, own: Sequence[str] | None) -> tuple[tuple[str, ...], bool]:
    """The names of the model's features, and whether they have any: the caller's, else the model's own, else by place.

    Raises :class:`InputError` when the caller's names are more or fewer than the features, or two are alike.
    """
    if not wanted.features:
        known = own is not None and len(own) == count and not _placeholders(own)
        return (tuple(map(str, own)), True) if known and own is not None else (by_place(count), False)
    _require_count("names of features", wanted.features, count, "features")
    if len(set(wanted.features)) != count:
        twice = next(name for name in wanted.features if wanted.features.count(name) > 1)
        raise InputError("two features have the same name", evidence=repr(twice), hint="rename one of them")
    return wanted.features, True


def _placeholders(names: Sequence[str]) -> bool:
    """Whether these are the names that LightGBM gives to columns without any."""
    return all(name == f"Column_{place}" for place, name in enumerate(names))


def output_labels(wanted: Wanted, outputs: int, own: Sequence[Any] | None) -> tuple[str, ...]:
    """The names of the outputs: the caller's classes, else of several the model's own, else ``label0`` and so on.

    Of two classes with one score the second is explained. Raises :class:`InputError` for another number of classes.
    """
    if wanted.classes:
        if outputs == 1 and len(wanted.classes) == 2:
            return wanted.classes[1:]
        _require_count("classes", wanted.classes, outputs, "outputs")
        return wanted.classes
    if outputs > 1 and own is not None and len(own) == outputs:
        return tuple(map(str, own))
    return tuple(f"label{place}" for place in range(outputs))


def _require_count(what: str, found: Sequence[str], count: int, of: str) -> None:
    if len(found) != count:
        evidence = f"{len(found)} {what}, and the model has {count} {of}"
        raise InputError(f"the {what} do not fit the model", evidence=evidence, hint="name each once, in its order")
