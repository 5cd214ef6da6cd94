"""What a process that only serves leaves out of the libraries it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from driftline.serving.libraries import imported, serve_only

serve_only()
library = imported(sys.argv[1])
assert "sklearn" not in sys.modules and "pandas" not in sys.modules
import numpy as np

rows = np.random.default_rng(1).normal(size=(60, 2)).astype(np.float32)
labels = (rows[:, 0] > 0).astype(int)
if sys.argv[1] == "xgboost":
    booster = library.train({"nthread": 1}, library.DMatrix(rows, labels), 3)
    assert booster.predict(library.DMatrix(rows)).shape == (60,)
else:
    booster = library.train({"num_threads": 1, "verbose": -1}, library.Dataset(rows, labels), 3)
    assert booster.predict(rows).shape == (60,)
import sklearn.base, pandas
"""


@pytest.mark.parametrize("module", ["xgboost", "lightgbm"])
def test_a_library_comes_without_what_serving_does_not_use_and_that_can_come_later(module: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, module], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
