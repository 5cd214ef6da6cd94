"""A model behind FastAPI as one writes it by hand: parse, predict, one JSON line a request into a log."""

from __future__ import annotations

import json
import os
import time
import uuid
from pathlib import Path

import numpy as np
import xgboost
from fastapi import FastAPI, Request, Response

booster = xgboost.Booster(model_file=os.environ["BENCH_MODEL"])
booster.set_param({"nthread": 1})
log = Path(os.environ["BENCH_LOG"]).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 -- open as long as the server
app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Response:
    """The probability of one CSV row."""
    text = (await request.body()).decode()
    row = np.array([text.split(",")], dtype=np.float32)
    answer = str(booster.inplace_predict(row)[0])
    record = {"id": str(uuid.uuid4()), "time": time.time(), "input": text, "output": answer}
    log.write(json.dumps(record) + "\n")
    return Response(answer, media_type="text/csv")
