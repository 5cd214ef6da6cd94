"""A model behind BentoML: a service with one method, nothing recorded."""

from __future__ import annotations

import os

import bentoml
import numpy as np
import xgboost


@bentoml.service(workers=1, traffic={"timeout": 30})
class Model:
    """One XGBoost model."""

    def __init__(self) -> None:
        self.booster = xgboost.Booster(model_file=os.environ["BENCH_MODEL"])
        self.booster.set_param({"nthread": 1})

    @bentoml.api(route="/predict")
    def predict(self, row: str) -> float:
        """The probability of one CSV row."""
        return float(self.booster.inplace_predict(np.array([row.split(",")], dtype=np.float32))[0])
