"""W5: attributions of the predictions of 100 trees on 69 features, 10,000 rows: exact, and as Kernel SHAP has them."""

from __future__ import annotations

from typing import Any

import attribution_data
import measure
import peers
from contest import HERE, Bench, Subject, said

ROWS = 10_000
LIMIT = 900


def attributions(bench: Bench) -> None:
    """Rows a second of explaining alone, what whole processes take, and how near the ranking is to the exact one."""
    files = [str(attribution_data.model(bench.data)), str(attribution_data.table(bench.data, ROWS))]
    name = bench.driftline("xgboost")
    python, version = peers.python(bench.work, name), peers.version(bench.work, name, "driftline")
    command = [str(python.with_name("driftline")), "baseline", "attribution", files[1], "--model", files[0]]
    subjects = [
        Subject("driftline", version, [str(python), str(HERE / "w5_driftline.py"), *files]),
        Subject("driftline baseline attribution", version, [*command, "-o", str(bench.work / "w5")]),
        bench.peer("shap", "w5_shap.py", *files, "tree", called="shap, TreeExplainer"),
        bench.peer("shap", "w5_shap.py", *files, "kernel", called="shap, KernelExplainer"),
    ]
    for subject in (subjects[0], *subjects[2:]):
        subject.verify = lambda found, into=subject: read(found, into)
    bench.rounds("w5", subjects, LIMIT)
    compare(subjects)


def read(found: dict[str, Any], subject: Subject) -> dict[str, Any]:
    """What a script says, its rows a second kept."""
    result = said(found)
    subject.rate.append(result.pop("rate"))
    return result


def compare(subjects: list[Subject]) -> None:
    """Note how far each ranking is from driftline's exact one."""
    exact = subjects[0].metrics.get("ranking")
    for subject in subjects[1:]:
        ranking = subject.metrics.get("ranking")
        if exact and ranking:
            total = sum(exact)
            apart = sum(abs(one - other) for one, other in zip(exact, ranking, strict=True)) / total
            subject.notes.append(
                f"rank correlation with the exact values {measure.rank_correlation(exact, ranking):.3f}"
            )
            subject.notes.append(f"{apart:.1%} of all attributions elsewhere")
