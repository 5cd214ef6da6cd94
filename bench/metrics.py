"""The metrics every contestant must give, from the four counts: one formula for those that hand over counts."""

from __future__ import annotations

import json
import sys
import time


def of_counts(tp: int, fp: int, fn: int, tn: int, auc: float | None) -> dict[str, float | None]:
    """Every metric of the counts, with the area given."""

    def share(part: float, whole: float) -> float | None:
        return part / whole if whole else None

    def f(beta: float) -> float | None:
        weight = beta * beta
        return share((1 + weight) * tp, (1 + weight) * tp + weight * fn + fp)

    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "accuracy": share(tp + tn, tp + fp + fn + tn),
        "precision": share(tp, tp + fp),
        "recall": share(tp, tp + fn),
        "true_negative_rate": share(tn, tn + fp),
        "false_positive_rate": share(fp, tn + fp),
        "false_negative_rate": share(fn, tp + fn),
        "f0_5": f(0.5),
        "f1": f(1.0),
        "f2": f(2.0),
        "auc": auc,
    }


def say(found: dict[str, float | None], start: float) -> None:
    """Write the result as the last line of standard output, with the seconds since ``start``."""
    sys.stdout.write("\n" + json.dumps({**found, "seconds": time.perf_counter() - start}) + "\n")
    sys.stdout.flush()
