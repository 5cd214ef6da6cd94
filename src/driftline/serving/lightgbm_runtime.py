"""LightGBM boosters from the text files of ``save_model``."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from driftline.core.errors import ModelError
from driftline.serving.libraries import block, first_line, library, refused_rows

_SAVE_HINT = "save the model with booster.save_model('model.txt') and deploy that file"
_OBJECTIVE = re.compile(r"^objective=(.*)$", re.MULTILINE)
_HEADER = 1 << 20


def recognises(data: bytes) -> bool:
    """Whether the bytes begin like LightGBM's text format."""
    return data[:6] in (b"tree\nv", b"tree\r\n")


def load(data: bytes, source: str) -> LightGBMModel:
    """The booster in these bytes; ``source`` names the file in messages.

    Raises :class:`ModelError` for a file that is damaged or that LightGBM cannot load or predict with,
    :class:`SetupError` when LightGBM is not installed.
    """
    lightgbm = library("lightgbm", "LightGBM", "lightgbm")
    try:
        text = data.decode("utf-8").replace("\r\n", "\n")
        # LightGBM ends the whole process over a tree it cannot read, so it is given none.
        check_text(text)
        booster = lightgbm.Booster(model_str=text)
        model = LightGBMModel(booster, text)
        model.predict(np.full((1, model.n_features), np.nan, dtype=np.float32))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise _refused(source, lightgbm, first_line(error)) from None
    except lightgbm.basic.LightGBMError as error:
        raise _refused(source, lightgbm, first_line(error)) from None
    except ModelError as error:
        raise _refused(source, lightgbm, error.evidence) from None
    return model


def _refused(source: str, lightgbm: Any, evidence: str) -> ModelError:
    what = f"{source} is not a model that LightGBM {lightgbm.__version__} can load"
    return ModelError(what, evidence=evidence, hint=_SAVE_HINT)


def check_text(text: str) -> None:
    """Raises :class:`ValueError` for a model whose trees are cut off or point outside themselves."""
    head, *trees = re.split(r"^Tree=", text.partition("\nend of trees")[0], flags=re.MULTILINE)
    header = _pairs(head)
    sizes = header["tree_sizes"].split() if "tree_sizes" in header else []
    if "\nend of trees" not in text or (sizes and len(sizes) != len(trees)):
        raise ValueError(f"the file is cut off: {len(trees)} of {len(sizes)} trees")
    position = len(head.encode())
    data = text.encode()
    for number, size in enumerate(sizes):
        if not data.startswith(b"Tree=%d\n" % number, position):
            raise ValueError(f"tree {number} does not begin where the header says")
        position += _whole(size)
    outputs, last_column = _whole(header["num_tree_per_iteration"]), _whole(header["max_feature_idx"])
    if outputs < 1 or outputs != _whole(header["num_class"]) or len(trees) % outputs:
        raise ValueError(f"{len(trees)} trees for {outputs} outputs")
    for tree in trees:
        _check_tree(_pairs("Tree=" + tree), last_column)


def _pairs(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition("=") for line in text.splitlines())}


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text.strip(), re.ASCII):
        raise ValueError(f"not a count: {text[:40]!r}")
    return int(text)


def _numbers(tree: dict[str, str], key: str, count: int, *, whole: bool = True) -> npt.NDArray[Any]:
    values = np.array(tree[key].split(), dtype=np.int64 if whole else np.float64)
    if len(values) != count:
        raise ValueError(f"tree {tree['Tree'][:9]}: {key} has {len(values)} numbers, not {count}")
    return values


def _check_tree(tree: dict[str, str], last_column: int) -> None:
    leaves, sets = _whole(tree["num_leaves"]), _whole(tree["num_cat"])
    inner = leaves - 1
    _numbers(tree, "leaf_value", leaves, whole=False)
    if tree.get("is_linear", "0").strip() != "0":
        _check_linear_leaves(tree, leaves, last_column)
    if leaves < 1 or not inner:
        return
    thresholds = _numbers(tree, "threshold", inner, whole=False)
    columns, kinds = _numbers(tree, "split_feature", inner), _numbers(tree, "decision_type", inner)
    places = np.arange(inner)
    # A child is a later node, or a leaf written as -1 - number: no cycles.
    children = [_numbers(tree, side, inner) for side in ("left_child", "right_child")]
    right = all(np.all(np.where(side < 0, side >= -leaves, (side > places) & (side < inner))) for side in children)
    if not right or columns.min() < 0 or columns.max() > last_column:
        raise ValueError(f"tree {tree['Tree'][:9]} points outside itself")
    by_category = thresholds[(kinds & 1) == 1]
    if sets or len(by_category):
        _check_categories(tree, sets, by_category)


def _check_categories(tree: dict[str, str], sets: int, used: npt.NDArray[Any]) -> None:
    bounds = _numbers(tree, "cat_boundaries", sets + 1)
    words = _numbers(tree, "cat_threshold", int(bounds[-1]))
    inside = np.all((used >= 0) & (used < sets)) and bounds[0] == 0 and np.all(np.diff(bounds) >= 0)
    if not inside or np.any((words < 0) | (words >= 1 << 32)):
        raise ValueError(f"tree {tree['Tree'][:9]} has categories outside its sets")


def _check_linear_leaves(tree: dict[str, str], leaves: int, last_column: int) -> None:
    _numbers(tree, "leaf_const", leaves, whole=False)
    counts = _numbers(tree, "num_features", leaves)
    columns = _numbers(tree, "leaf_features", int(counts.sum()))
    _numbers(tree, "leaf_coeff", len(columns), whole=False)
    if np.any(counts < 0) or np.any((columns < 0) | (columns > last_column)):
        raise ValueError(f"tree {tree['Tree'][:9]} has linear leaves of columns that rows do not have")


class LightGBMModel:
    """A booster that predicts on one thread, with the trees up to its best iteration."""

    plain_answers = False

    def __init__(self, booster: Any, text: str) -> None:
        self.booster = booster
        self.n_features = int(booster.num_feature())
        found = _OBJECTIVE.search(text, 0, _HEADER)
        self.objective = found[1].strip() if found else None
        self.averaged = re.search(r"^average_output$", text[:_HEADER], re.MULTILINE) is not None
        self._outputs = int(booster.num_model_per_iteration())
        # A text file holds the trees up to the best iteration unless its writer asked for all of them.
        self.rounds = int(booster.best_iteration) if booster.best_iteration > 0 else int(booster.current_iteration())

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """What ``Booster.predict`` returns: [n] for one output (the positive class's probability), else [n, k].

        Raises :class:`ModelError` when LightGBM refuses the rows.
        """
        rows = block(rows, self.n_features)
        try:
            result: npt.NDArray[Any] = self.booster.predict(rows, num_iteration=self.rounds, num_threads=1)
        except Exception as error:
            raise refused_rows(first_line(error)) from None
        return result

    def describe(self) -> dict[str, Any]:
        """Runtime, library version, features, objective (None: raw scores), classes as numbers, rounds used."""
        return {
            "runtime": "lightgbm",
            "library": str(library("lightgbm", "LightGBM", "lightgbm").__version__),
            "format": "text",
            "n_features": self.n_features,
            "objective": self.objective,
            "classes": list(range(self._outputs)) if self._outputs > 1 else None,
            "boosted_rounds": self.rounds,
            "feature_names": self.booster.feature_name(),
        }
