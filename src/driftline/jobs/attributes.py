"""Where an endpoint's answer holds the prediction, as a schedule says it."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from driftline.core.errors import InputError
from driftline.core.uris import object_uri
from driftline.engine.attributes import OutputAttributes
from driftline.monitors.attribution.checks import THRESHOLD
from driftline.monitors.quality.checks import MINIMUM_SAMPLE
from driftline.monitors.rules import Rule
from driftline.monitors.segments import Segmentation


class _Attributes(msgspec.Struct, frozen=True):
    """The attributes we know, as JSON may hold them: CSV columns and classes also as numbers."""

    probability_attribute: str | int | tuple[str | int, ...] | None = None
    probability_threshold: float = 0.5
    inference_attribute: str | int | None = None
    classes: tuple[str | int | float | bool, ...] = ()
    minimum_sample: int | None = None


def output_attributes(attributes: dict[str, Any]) -> OutputAttributes:
    """From ``probability_attribute``, ``probability_threshold`` and ``inference_attribute``: a CSV column or a
    JMESPath. ``classes`` are the names of a multiclass model's classes in the order of their probabilities, which may
    be a list of CSV columns. Raises :class:`InputError` for what points nowhere.

    >>> output_attributes({"probability_attribute": 0, "probability_threshold": 0.8})
    OutputAttributes(probability='0', probability_threshold=0.8, inference=None, classes=())
    >>> output_attributes({"probability_attribute": [0, 1], "classes": ["cat", "dog"]}).probability
    '0,1'
    """
    try:
        given = msgspec.convert(attributes, _Attributes, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(
            "the attributes of the schedule cannot be used",
            evidence=str(error),
            hint="give probability_attribute and inference_attribute as text, probability_threshold as a number, and"
            " classes as a list of names",
        ) from None
    inference, probability = given.inference_attribute, given.probability_attribute
    columns = probability if isinstance(probability, tuple) else (probability,)
    return OutputAttributes(
        None if probability is None else ",".join(map(str, columns)),
        given.probability_threshold,
        None if inference is None else str(inference),
        tuple(_name(one) for one in given.classes),
    )


def _name(given: str | float | bool) -> str:
    """A class as labels spell it: JSON's truth values in small letters."""
    return str(given).lower() if isinstance(given, bool) else str(given)


class DataAttributes(msgspec.Struct, frozen=True):
    """What a schedule of columns says: ``names`` of the columns, outputs first, where no header or key tells them;
    columns to ``exclude``; ``segments`` to rank; names of scripts in the data folder's ``scripts/``, and of custom
    analyzers: entry points, or ``FILE.py:CLASS`` in that folder. Of bias and attributions: the ``rule`` by which they
    are compared with the baseline; of attributions the ``threshold`` of the NDCG, and how many ``rows`` of a window are
    explained. Of any monitor: ``program`` names one of the data folder's ``programs.toml`` in the
    place of the analysis; ``captures`` is an ``s3://`` folder with ``VARIANT/yyyy/mm/dd/hh`` below it that is read in
    the place of the endpoint's own, ``labels`` one with ``yyyy/mm/dd/hh``; what a run found is also written below
    ``output``; ``constraints`` and ``statistics`` are files of its baseline in a bucket, looked at before every run,
    and ``baseline_read`` tells which were taken over last. ``engine`` says what measures the windows: ``local``, this
    machine; ``spark``; or ``auto``, by their size, which is meant where nothing is said."""

    names: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    preprocessor: str | None = None
    postprocessor: str | None = None
    analyzers: tuple[str, ...] = ()
    minimum_sample: int = MINIMUM_SAMPLE
    program: str | None = None
    rule: Rule = "interval"
    threshold: float = THRESHOLD
    rows: int | None = None
    captures: str | None = None
    labels: str | None = None
    output: str | None = None
    constraints: str | None = None
    statistics: str | None = None
    baseline_read: str | None = None
    engine: Literal["local", "spark", "auto"] = "auto"


_OF_OURS = ("names", "exclude", "segments", "preprocessor", "postprocessor", "analyzers")


def data_attributes(attributes: dict[str, Any]) -> DataAttributes:
    """The attributes of a schedule of data quality; raises :class:`InputError` where they are something else.

    >>> data_attributes({"names": ["score", "age"]}).names
    ('score', 'age')
    """
    try:
        found = msgspec.convert(attributes, DataAttributes, strict=False)
    except msgspec.ValidationError as error:
        raise InputError(
            "the attributes of the schedule cannot be used",
            evidence=str(error),
            hint="give names, exclude, segments and analyzers as lists of texts, minimum_sample as a whole number, and"
            " as engine one of local, spark and auto",
        ) from None
    _check_program(found)
    _check_engine(found)
    for uri in filter(None, (found.captures, found.labels, found.output, found.constraints, found.statistics)):
        object_uri(uri)
    for text in found.segments:
        Segmentation.parse(text)
    return found


def _check_program(found: DataAttributes) -> None:
    """What only our analysis would look at is a mistake beside a program."""
    beside = [name for name in _OF_OURS if getattr(found, name)]
    if found.program is not None and beside:
        raise InputError(
            f"a schedule with a program has no {' and no '.join(beside)}",
            evidence=f"program {found.program[:80]!r} takes the place of the analysis that would use them",
            hint="leave them out, and let the program do that; or leave the program out",
        )


def _check_engine(found: DataAttributes) -> None:
    """What is code of this machine does not travel."""
    here = [name for name in ("program", "preprocessor", "analyzers") if getattr(found, name)]
    if found.engine == "spark" and here:
        raise InputError(
            f"Spark does not run a schedule's {' and '.join(here)}",
            evidence=", ".join(str(getattr(found, name)) for name in here)[:200],
            hint="leave them out, or leave engine out: this machine measures the schedule then",
        )
