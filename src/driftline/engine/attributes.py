"""Where the numbers stand in an endpoint's output: zero-based CSV columns, or a JMESPath into a JSON document."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from driftline.core.errors import InputError
from driftline.engine.expressions import compiled

MULTICLASS = "MulticlassClassification"
MOST_CLASSES = 1000
_COLUMN = re.compile(r"\d{1,6}", re.ASCII)
_COLUMNS = re.compile(r"\d{1,6}(-\d{1,6})?(\s*,\s*\d{1,6}(-\d{1,6})?)*", re.ASCII)


class OutputAttributes(msgspec.Struct, frozen=True):
    """``probability`` and ``inference`` locate the score and the predicted label; a score above
    ``probability_threshold`` is a positive where there is no predicted label.

    With ``classes``, the names of a multiclass model's classes in the order of their probabilities, ``probability``
    locates one number a class: CSV columns such as ``0-2`` or ``1,3,4``; the first of as many columns that stand side
    by side; a CSV column that holds a JSON array; or a JMESPath that gives an array for each prediction.
    """

    probability: str | None = None
    probability_threshold: float = 0.5
    inference: str | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.probability is None and self.inference is None:
            raise InputError(
                "nothing says where the prediction stands in the output",
                hint="give --probability-attribute (and --probability-threshold), --inference-attribute, or both",
            )
        if self.inference is not None and column_index(self.inference) is None:
            compiled(self.inference)
        columns = () if self.probability is None else several_columns(self.probability)
        if self.probability is not None and not columns and column_index(self.probability) is None:
            compiled(self.probability)
        if columns or self.classes:
            _check_classes(self.classes, columns, self.probability)

    def check(self, problem_type: str) -> None:
        """Raises :class:`InputError` where several classes have probabilities without names, or names make no sense."""
        if self.probability is not None:
            check_names(problem_type, self.classes, given=f"the probability attribute {self.probability!r}")


def check_names(problem_type: str, classes: tuple[str, ...], *, given: str) -> None:
    """Class names belong to probabilities of several classes, and to nothing else; ``given`` says what was given.

    Raises :class:`InputError` that says what to add or to leave out.
    """
    if problem_type == MULTICLASS and not classes:
        raise InputError(
            "nothing says which class each probability belongs to",
            evidence=f"{given} has no class names",
            hint="name every class in the order of the probabilities (--classes cat,dog,bird, attribute `classes` of a"
            " schedule), or leave the probabilities out and give the predicted class alone",
        )
    if classes and problem_type != MULTICLASS:
        raise InputError(
            f"class names make no sense for {problem_type}",
            evidence=", ".join(classes)[:200],
            hint="leave them out and give one probability, that of the positive class; or choose --problem-type"
            f" {MULTICLASS}",
        )


def column_index(attribute: str) -> int | None:
    """The zero-based CSV column, or None for anything else."""
    return int(attribute) if _COLUMN.fullmatch(attribute) else None


def several_columns(attribute: str) -> tuple[int, ...]:
    """The zero-based CSV columns of a list with ranges; none for a single column and for a JMESPath.

    >>> several_columns("0-2"), several_columns("4, 1-2"), several_columns("3"), several_columns("scores[0]")
    ((0, 1, 2), (4, 1, 2), (), ())
    """
    if column_index(attribute) is not None or not _COLUMNS.fullmatch(attribute):
        return ()
    ends = [[int(end) for end in part.split("-")] for part in attribute.replace(" ", "").split(",")]
    found: list[int] = []
    for first, *last in ends:
        found += range(first, (last or [first])[0] + 1)[: MOST_CLASSES + 1]
    if not found or any(last and last[0] < first for first, *last in ends):
        raise InputError(f"{attribute!r} names no columns", hint="write the lower column first, such as 0-2 or 0,1,2")
    return tuple(found)


def _check_classes(classes: tuple[str, ...], columns: tuple[int, ...], probability: str | None) -> None:
    shown = ", ".join(classes)[:200] or "no class is named"
    if probability is None:
        hint = "give --probability-attribute too, or leave the classes out"
        raise InputError("classes are named, but no probabilities", evidence=shown, hint=hint)
    if columns and len(columns) != len(classes):
        raise InputError(
            f"{len(columns)} probability columns and {len(classes)} classes do not go together",
            evidence=f"columns {probability}; {shown}",
            hint="name every class once, in the order of the columns (--classes, attribute `classes` of a schedule)",
        )
    check_classes(classes)


def check_classes(classes: Sequence[str]) -> None:
    """Raises :class:`InputError` unless 2 to 1,000 classes are named, each once."""
    twice = next((name for place, name in enumerate(classes) if name in classes[:place]), None)
    if 2 <= len(classes) <= MOST_CLASSES and twice is None:
        return
    wrong = f"{len(classes):,} classes are named, and there must be 2 to {MOST_CLASSES:,}"
    raise InputError(
        wrong if twice is None else f"the class {twice!r} is named twice",
        evidence=", ".join(classes)[:200] or "no class is named",
        hint="name every class once, in the order of the probabilities; 1 and 1.0 are one class",
    )
