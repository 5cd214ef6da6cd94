"""From output attributes to SQL: the expressions that find a record's values, and what speaks against them."""

from __future__ import annotations

from driftline.engine.attributes import OutputAttributes, column_index, several_columns
from driftline.engine.expressions import json_path

_NOTHING = "CAST(NULL AS VARCHAR)"


def columns_of(attributes: OutputAttributes) -> dict[str, str]:
    """The text columns that are read, with where each stands."""
    found = {"score_text": attributes.probability, "prediction_text": attributes.inference}
    return {name: attribute for name, attribute in found.items() if attribute is not None}


def wide(name: str, size: int) -> int:
    """How many numbers stand where an attribute points, 0 for a single value."""
    return size if name == "score_text" else 0


def cell(attribute: str, line: str, size: int) -> str:
    """An attribute's text in a CSV line that may have quotes: a cell, or with ``size`` a list of so many numbers."""
    if size:
        return _vector(attribute, line, size)
    index = column_index(attribute)
    return _NOTHING if index is None else f"csv_cell({line}, {index})"


def looks(attributes: OutputAttributes, body: str) -> dict[str, str]:
    """The texts in a body known to be one line without quotes: without pattern matching they are several times
    cheaper."""
    size = len(attributes.classes)
    return {name: _plain(at, body, wide(name, size)) for name, at in columns_of(attributes).items()}


def _plain(attribute: str, body: str, size: int) -> str:
    if size:
        return _vector(attribute, body, size)
    index = column_index(attribute)
    return _NOTHING if index is None else f"nullif(split_part({body}, ',', {index + 1}), '')"


def _vector(attribute: str, line: str, size: int) -> str:
    """A list of numbers as text. An absent cell leaves its place out, so the list is too short."""
    index, columns = column_index(attribute), several_columns(attribute)
    if columns:
        places = ", ".join(str(column + 1) for column in columns)
        return f"'[' || array_to_string(list_select(csv_cells({line}), [{places}]), ',') || ']'"
    return _NOTHING if index is None else f"listed(csv_cells({line}), {index}, {size})"


def number(cells: dict[str, str], size: int) -> str:
    """The score, or the list of ``size`` scores, of the texts; NULL where there is none."""
    kind = "DOUBLE[]" if size else "DOUBLE"
    return f"try_cast({cells['score_text']} AS {kind})" if "score_text" in cells else "CAST(NULL AS DOUBLE)"


def text(cells: dict[str, str]) -> str:
    """The prediction of the texts; NULL where there is none."""
    found = cells.get("prediction_text")
    return _NOTHING if found is None else f"nullif(trim({found}), '')"


def _good(size: int) -> str:
    return f"is_distribution(score, {size})" if size else "score IS NOT NULL AND NOT isnan(score)"


def both_there(cells: dict[str, str], size: int) -> str:
    """That score and prediction, as far as they are read, can be used."""
    score = f"AND {_good(size)} " if "score_text" in cells else ""
    return score + ("AND prediction IS NOT NULL" if "prediction_text" in cells else "")


def values_in_json(attribute: str, name: str, size: int) -> str:
    """The list of an attribute's texts in the JSON document ``part``, one a prediction."""
    if size and (column_index(attribute) is not None or several_columns(attribute)):
        # The columns from the first on are the document itself, if it is an array; others are none of JSON.
        first = column_index(attribute) == 0 or several_columns(attribute) == tuple(range(size))
        return "json_vectors(part, '$')" if first else f"[{_NOTHING}]"
    path = json_path(attribute)
    if path is None:
        return f"{searcher(name)}(part)"
    return f"json_{'vectors' if size else 'values'}(part, '{path.replace(chr(39), chr(39) * 2)}')"


def searcher(name: str) -> str:
    """The function that finds a column's values where its JMESPath is no JSON path; the engine provides it."""
    return f"search_{name}"


def searched(attributes: OutputAttributes) -> dict[str, str]:
    """The columns that need such a function, with their JMESPath."""
    found = columns_of(attributes)
    return {name: path for name, path in found.items() if json_path(path) is None and not several_columns(path)}


def unnested(columns: dict[str, str]) -> str:
    """Lists of unequal length (an element lacks a field) would pair values of different rows: they count as none."""
    first, *others = columns
    agree = " AND ".join(f"len({first}) IS NOT DISTINCT FROM len({other})" for other in others) or "true"
    return ", ".join(
        f"unnest(list_resize(CASE WHEN {agree} THEN {name} ELSE [CAST(NULL AS VARCHAR)] END, rows)) AS {name}"
        for name in columns
    )


def typed(attributes: OutputAttributes) -> str:
    """Score and prediction from their texts."""
    cells = {name: name for name in columns_of(attributes)}
    return f"{number(cells, len(attributes.classes))} AS score, {text(cells)} AS prediction"


def value_fault(cells: dict[str, str], size: int) -> str:
    """What speaks against a row: a value that is absent, or a score that is no number. ``cells`` are its texts."""
    faults = "WHEN prediction IS NULL THEN 'no_value' " if "prediction_text" in cells else ""
    if "score_text" in cells:
        absent = f"coalesce(translate({cells['score_text']}, '[], ', ''), '') = ''"
        fault = "not_a_distribution" if size else "not_a_number"
        faults += f"WHEN NOT ({_good(size)}) THEN CASE WHEN {absent} THEN 'no_value' ELSE '{fault}' END"
    return f"CASE {faults} END"
