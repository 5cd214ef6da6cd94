"""The model in MLflow's own form, for its scoring server."""

from __future__ import annotations

import sys

import mlflow.xgboost
import xgboost

booster = xgboost.Booster(model_file=sys.argv[1])
booster.set_param({"nthread": 1})
mlflow.xgboost.save_model(booster, sys.argv[2])
