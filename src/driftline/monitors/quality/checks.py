"""From a baseline to constraints, and from constraints to violations."""

from __future__ import annotations

import math
import re
from typing import Literal, cast

import msgspec

from driftline.core.documents import Constraint, Metric, ModelQualityConstraints, Operator, Violation
from driftline.core.errors import InputError
from driftline.core.verdict import Judgement, Reason, Verdict
from driftline.monitors.quality.result import QualityResult

MINIMUM_SAMPLE = 30
_TOLERANCE = re.compile(r"(?P<amount>\d+(\.\d*)?|\.\d+)\s*(?P<unit>%|ci)?")


class Tolerance(msgspec.Struct, frozen=True):
    """How much worse than the baseline a metric may be: an absolute amount, a share of the baseline's value, or a
    multiple of the distance from the value to the worse end of its confidence interval."""

    amount: float = 0.0
    kind: Literal["absolute", "relative", "intervals"] = "absolute"

    @classmethod
    def parse(cls, text: str) -> Tolerance:
        """``0.02`` is absolute, ``5%`` relative, ``2ci`` two interval widths.

        >>> Tolerance.parse("5%")
        Tolerance(amount=0.05, kind='relative')
        """
        match = _TOLERANCE.fullmatch(text.strip())
        if match is None or not math.isfinite(float(match["amount"])):
            raise InputError(
                f"{text!r} is not a tolerance", hint="write 0.02 (absolute), 5% (relative) or 2ci (intervals)"
            )
        amount = float(match["amount"])
        if match["unit"] == "%":
            return cls(amount / 100, "relative")
        return cls(amount, "intervals" if match["unit"] else "absolute")


def suggest(
    result: QualityResult, constrained: dict[str, str], tolerance: Tolerance | None = None
) -> ModelQualityConstraints:
    """Constraints that the baseline just meets, loosened by the tolerance; a metric without a value gets none."""
    found = {}
    for name, operator in constrained.items():
        metric = result.metrics.get(name)
        if metric is not None and metric.value is not None:
            found[name] = _suggested(metric, cast(Operator, operator), tolerance or Tolerance())
    return ModelQualityConstraints(result.problem_type, found)


def _suggested(metric: Metric, operator: Operator, tolerance: Tolerance) -> Constraint:
    value = metric.value or 0.0
    slack, why = _slack(metric, operator, tolerance)
    threshold = value - slack if operator == "LessThanThreshold" else value + slack
    if not slack:
        return Constraint(threshold, operator)
    return Constraint(threshold, operator, f"the baseline's {value:.6g} {why}")


def _slack(metric: Metric, operator: Operator, tolerance: Tolerance) -> tuple[float, str]:
    value, interval = metric.value or 0.0, metric.confidence_interval
    if tolerance.kind == "absolute":
        return tolerance.amount, f"with a tolerance of {tolerance.amount:g}"
    if tolerance.kind == "relative":
        return abs(value) * tolerance.amount, f"with a tolerance of {tolerance.amount:.4g} of it"
    if interval is None:
        return 0.0, ""
    width = value - interval.lower if operator == "LessThanThreshold" else interval.upper - value
    return tolerance.amount * width, f"with {tolerance.amount:g} times the reach of its {interval.level:.0%} interval"


def check(
    result: QualityResult, constraints: ModelQualityConstraints, *, minimum_sample: int = MINIMUM_SAMPLE
) -> tuple[Judgement, tuple[Violation, ...]]:
    """Every constraint that is not met, and the verdict.

    Below ``minimum_sample`` rows nothing is judged. A constrained metric without a value leaves the verdict UNKNOWN,
    unless another constraint is violated.
    """
    if constraints.problem_type != result.problem_type:
        raise InputError(
            f"the constraints are for {constraints.problem_type}, the data is {result.problem_type}",
            hint="use the constraints.json of a baseline of the same problem type",
        )
    if not constraints.constraints:
        return _unknown(Reason("no_constraints", "the constraints document is empty: nothing was checked")), ()
    if result.item_count < minimum_sample:
        return _unknown(_too_few(result.item_count, minimum_sample)), ()
    found = {name: result.metrics.get(name) for name in constraints.constraints}
    violations = tuple(
        _violation(name, metric, constraint, result.item_count)
        for name, constraint in constraints.constraints.items()
        if (metric := found[name]) is not None and metric.value is not None and _violates(metric.value, constraint)
    )
    if violations:
        return Judgement(Verdict.VIOLATED), violations
    undefined = [
        _undefined(name, metric, result.item_count) for name, metric in found.items() if not _has_value(metric)
    ]
    return _unknown(*undefined) if undefined else Judgement(Verdict.OK), ()


def _unknown(*reasons: Reason) -> Judgement:
    return Judgement(Verdict.UNKNOWN, reasons)


def _has_value(metric: Metric | None) -> bool:
    return metric is not None and metric.value is not None


def _violates(value: float, constraint: Constraint) -> bool:
    less = constraint.comparison_operator == "LessThanThreshold"
    return value < constraint.threshold if less else value > constraint.threshold


def _violation(name: str, metric: Metric, constraint: Constraint, rows: int) -> Violation:
    deviation = "NaN" if metric.standard_deviation is None else f"{metric.standard_deviation:.6g}"
    operator = constraint.comparison_operator
    text = f"Metric {name} with {metric.value:.6g} +/- {deviation} was {operator} '{constraint.threshold!r}'"
    return Violation(
        metric_name=name,
        constraint_check_type=operator,
        description=text,
        value=metric.value,
        threshold=constraint.threshold,
        confidence_interval=metric.confidence_interval,
        item_count=rows,
    )


def _too_few(rows: int, minimum: int) -> Reason:
    message = f"{rows} predictions with labels are too few to judge: the minimum sample is {minimum}"
    return Reason("too_few_rows", message, {"rows": rows, "minimum_sample": minimum})


def _undefined(name: str, metric: Metric | None, rows: int) -> Reason:
    why = "it is not computed for this data" if metric is None else metric.error or "undefined"
    return Reason("metric_undefined", f"metric {name} has no value: {why}", {"rows": rows})
