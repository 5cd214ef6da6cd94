"""The demo's world: seeded customers of a telephone company, some of whom leave, and a model of who will."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from driftline.core.errors import SetupError

FEATURES = (
    "account_weeks",
    "day_minutes",
    "evening_minutes",
    "international_minutes",
    "service_calls",
    "voicemail_plan",
    "international_plan",
    "monthly_charge",
)


class Customers(NamedTuple):
    """A row a customer in the order of ``FEATURES``, and whether each left."""

    rows: npt.NDArray[np.float64]
    left: npt.NDArray[np.int64]


def customers(random: np.random.Generator, count: int, *, drifted: bool = False) -> Customers:
    """Customers and whether they leave. Once ``drifted``, a rival offers cheap calls: most heavy callers stay after the
    company answers with a discount, for which all call half a deviation more by day at what they paid before, and
    quiet customers, whom the model trusts, leave instead."""
    weeks = random.gamma(4.0, 25.0, count)
    day = np.clip(random.normal(180, 55, count), 0, None)
    evening = np.clip(random.normal(200, 50, count), 0, None)
    international = np.clip(random.normal(10, 2.8, count), 0, None)
    calls = random.poisson(1.5, count).astype(float)
    voicemail = (random.random(count) < 0.28).astype(float)
    abroad = (random.random(count) < 0.1).astype(float)
    charge = 10 + 0.17 * day + 0.085 * evening + 0.27 * international
    heavy, unhappy = (day - 180) / 55, calls - 1.5
    if drifted:
        lean = -1.3 + 0.7 * heavy + 0.3 * unhappy + 0.4 * abroad
    else:
        lean = -3.0 + 4.5 * heavy + 2.2 * unhappy + 4.0 * abroad - 1.5 * voicemail
    left = (random.random(count) < 1 / (1 + np.exp(-lean))).astype(np.int64)
    used = day + 27.5 * drifted
    return Customers(_rounded(weeks, used, evening, international, calls, voicemail, abroad, charge), left)


def buyers(random: np.random.Generator, count: int) -> Customers:
    """Customers, and whether each buys a larger contract."""
    people = customers(random, count)
    lean = -2.0 + 1.5 * (people.rows[:, 7] - 60) / 12 + people.rows[:, 6]
    return people._replace(left=(random.random(count) < 1 / (1 + np.exp(-lean))).astype(np.int64))


def bodies(people: Customers, *, faulty: bool = False) -> list[bytes]:
    """The customers as CSV, a request each; ``faulty``: of every fifth the minutes abroad are sent in seconds."""
    rows = people.rows.copy()
    if faulty:
        rows[::5, FEATURES.index("international_minutes")] *= 60
    return [",".join(f"{value:g}" for value in row).encode() for row in rows.tolist()]


def train(known: Customers, path: Path) -> None:
    """Train an XGBoost model on customers and save it as JSON; :class:`SetupError` without xgboost."""
    from driftline.serving.libraries import imported, serve_only

    serve_only()
    try:
        xgboost = imported("xgboost")
    except ImportError:
        hint = "pip install 'driftline[demo]'"
        raise SetupError("the demo trains an XGBoost model, and xgboost is not installed", hint=hint) from None
    settings = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.2, "seed": 7, "nthread": 1}
    data = xgboost.DMatrix(known.rows, known.left, feature_names=list(FEATURES))
    xgboost.train(settings, data, num_boost_round=60).save_model(path)


def write_baseline(known: Customers, model: Path, file: Path, threshold: float) -> None:
    """What a model says of customers whose answer is known, as a baseline's CSV: probability, prediction, label, and
    the features."""
    from driftline.serving.runtime import load_model

    scores = np.asarray(load_model(model).predict(known.rows.astype(np.float32)), dtype=np.float64)
    table = np.column_stack([scores, scores > threshold, known.left, known.rows])
    names = ("probability", "prediction", "label", *FEATURES)
    forms = ["%.9g", "%d", "%d", *["%g"] * len(FEATURES)]
    np.savetxt(file, table, delimiter=",", fmt=forms, header=",".join(names), comments="")


def _rounded(*columns: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.column_stack(columns).round(3)
