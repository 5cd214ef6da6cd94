"""Seeded tables for W2: 20 columns as a baseline, as a current table of which three columns drifted, as captures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from data import SEED, SEGMENT_BYTES

DRIFTED = ("normal_shifted", "normal_spread", "category_5_reversed")
BASELINE_ROWS = 100_000
# Few rows at a time, so that neither a table nor its capture lines are ever whole in memory.
PIECE = 100_000
_HOUR = "2026/11/22/10"
_DECIMALS = 6

Draw = Callable[[Any, int, bool], Any]


def _normal(mean: float, spread: float, *, moved: float = 0.0, wider: float = 1.0) -> Draw:
    """Normal values; a drifted column moves by ``moved`` deviations and is ``wider`` times as wide."""

    def draw(random: Any, rows: int, drifted: bool) -> Any:
        values = random.standard_normal(rows)
        return (values * wider + moved) * spread + mean if drifted else values * spread + mean

    return draw


def _category(count: int, *, reverse: bool = False) -> Draw:
    """Names of which the k-th is drawn in proportion to 1 / (k + 1); reversed, the last is the most frequent."""
    shares = 1 / np.arange(1, count + 1)
    names = pa.array([f"kind {chr(97 + number % 26)}{number}" for number in range(count)])

    def draw(random: Any, rows: int, drifted: bool) -> Any:
        weights = shares[::-1] if reverse and drifted else shares
        return names.take(pa.array(random.choice(count, rows, p=weights / weights.sum())))

    return draw


# The first column is the model's output in the captures, and the others are its input.
COLUMNS: dict[str, tuple[Draw, float]] = {
    "uniform_score": (lambda random, rows, _: random.random(rows), 0.0),
    "normal_plain": (_normal(0, 1), 0.0),
    "normal_shifted": (_normal(40, 12, moved=0.5), 0.0),
    "normal_spread": (_normal(-3, 2, wider=1.5), 0.0),
    "normal_nulls": (_normal(100, 15), 0.05),
    "lognormal_plain": (lambda random, rows, _: random.lognormal(0, 1, rows), 0.0),
    "lognormal_heavy": (lambda random, rows, _: random.lognormal(3, 2, rows), 0.0),
    "lognormal_nulls": (lambda random, rows, _: random.lognormal(1, 0.5, rows), 0.02),
    "uniform_wide": (lambda random, rows, _: random.uniform(-1000, 1000, rows), 0.0),
    "uniform_nulls": (lambda random, rows, _: random.uniform(0, 10, rows), 0.2),
    "count_few": (lambda random, rows, _: random.poisson(3, rows), 0.0),
    "count_many": (lambda random, rows, _: random.poisson(400, rows), 0.0),
    "count_nulls": (lambda random, rows, _: random.geometric(0.1, rows), 0.1),
    "count_wide": (lambda random, rows, _: random.integers(0, 1_000_000, rows), 0.0),
    "category_2": (_category(2), 0.0),
    "category_3": (_category(3), 0.0),
    "category_5_reversed": (_category(5, reverse=True), 0.0),
    "category_10": (_category(10), 0.0),
    "category_20_nulls": (_category(20), 0.03),
    "category_50": (_category(50), 0.0),
}
POSITIONS = {f"_c{place}": name for place, name in enumerate(COLUMNS)}


def pieces(rows: int, *, drifted: bool) -> Iterator[pa.Table]:
    """The rows in pieces, the same ones for the same arguments.

    Numbers have six decimals at most, so that a table and its capture lines hold the very same values.
    """
    random = np.random.default_rng([SEED, int(drifted)])
    for first in range(0, rows, PIECE):
        yield _piece(random, min(PIECE, rows - first), drifted)


def _piece(random: Any, rows: int, drifted: bool) -> pa.Table:
    columns = {}
    for name, (draw, nulls) in COLUMNS.items():
        values = draw(random, rows, drifted)
        if isinstance(values, np.ndarray):
            values = pa.array(np.round(values, _DECIMALS))
        if nulls:
            gone = pa.array(random.random(rows) < nulls)
            values = pc.if_else(gone, pa.scalar(None, values.type), values)
        columns[name] = values
    return pa.table(columns)


def table(folder: Path, rows: int, *, drifted: bool, by_position: bool = False) -> Path:
    """A Parquet file of the rows; ``by_position`` names its columns as those of captures without names are."""
    kind = ("current" if drifted else "baseline") + ("-by-position" if by_position else "")
    path = folder / f"w2-{kind}-{rows}.parquet"
    if path.exists():
        return path
    part, names = path.with_suffix(".part"), list(POSITIONS if by_position else COLUMNS)
    made = (piece.rename_columns(names) for piece in pieces(rows, drifted=drifted))
    first = next(made)
    with pq.ParquetWriter(part, first.schema) as writer:
        writer.write_table(first)
        for piece in made:
            writer.write_table(piece)
    return part.replace(path)


def captures(folder: Path, rows: int) -> Path:
    """The current table as capture lines of about 500 bytes in files of at most 64 MB; the folder of captures."""
    root = folder / f"w2-world-{rows}"
    done, captured = root / "done", root / "captures" / _HOUR
    if not done.exists():
        captured.mkdir(parents=True, exist_ok=True)
        _write(captured, rows)
        done.touch()
    return root / "captures"


def _write(folder: Path, rows: int) -> None:
    first, number, file = 0, 0, (folder / "00-00-000-bench.jsonl").open("wb")
    for piece in pieces(rows, drifted=True):
        for start in range(0, piece.num_rows, PIECE // 10):
            blob = capture_lines(piece.slice(start, PIECE // 10), first + start)
            if file.tell() + len(blob) > SEGMENT_BYTES:
                file.close()
                number += 1
                file = (folder / f"{number:02d}-00-000-bench.jsonl").open("wb")
            file.write(blob)
        first += piece.num_rows
    file.close()


def capture_lines(piece: pa.Table, first: int) -> bytes:
    """Rows as capture lines: the first column is the output, the others the input, an absent value an empty cell."""
    texts = [column.combine_chunks().cast(pa.string()) for column in piece.columns]
    inputs = pc.binary_join_element_wise(*texts[1:], ",", null_handling="replace", null_replacement="")
    pairs = zip(inputs.to_pylist(), texts[0].to_pylist(), strict=True)
    return "".join(_line(first + place, *pair) for place, pair in enumerate(pairs)).encode()


def _line(number: int, inputs: str, output: str) -> str:
    minute, second = divmod(number % 3600, 60)
    return (
        '{"captureData":{"endpointInput":{"data":"' + inputs + '","encoding":"CSV","observedContentType":"text/csv",'
        '"mode":"INPUT"},"endpointOutput":{"data":"' + output + '","encoding":"CSV",'
        '"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT"}},"eventMetadata":{"eventId":'
        f'"9d4b7f10-52ce-4a86-8e3d-{number:012x}","inferenceTime":"2026-11-22T10:{minute:02d}:{second:02d}Z"}},'
        '"eventVersion":"0"}\n'
    )
