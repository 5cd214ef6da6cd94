"""JSON documents of a file: what a filter keeps of each, and answers wrapped with their records and ids."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from driftline.core.errors import InputError
from driftline.engine.payload.documents import Documents, mask_of, quoted
from driftline.engine.texts import Array
from driftline.serving.transform.paths import document_sql

ID, TIME, OUTPUT, INPUT = "SageMakerInferenceId", "SageMakerInferenceTime", "SageMakerOutput", "SageMakerInput"
_OWN = quoted("{" + ",".join(f'"{name}":null' for name in (ID, TIME, OUTPUT)) + "}")
# Keys of an earlier transform are replaced, not written a second time.
_RECORD = f"CASE WHEN contains(d, '\"SageMaker') THEN json_merge_patch(CAST(d AS JSON), {_OWN}) ELSE json(d) END"


def first_broken(json: Documents, lines: Array) -> int | None:
    """The place of the first text that is no JSON document; None where all are."""
    broken = np.flatnonzero(~mask_of(json.evaluate(lines, ok="json_valid(d)")["ok"]))
    return int(broken[0]) if len(broken) else None


def filtered(json: Documents, documents: Array, path: str, source: str, first: int) -> Array:
    """What a filter keeps of documents, on one line each; ``first`` is the line of the first one, for errors."""
    expression = document_sql(path)
    if expression == "d":
        compact = json.evaluate(documents, kept="CAST(json(d) AS VARCHAR)") if _several_lines(documents) else {}
        return compact.get("kept", documents)
    kept = json.evaluate(documents, kept=f"CAST({expression} AS VARCHAR)")["kept"]
    if kept.null_count:
        place = int(np.flatnonzero(mask_of(pc.is_null(kept)))[0])
        raise InputError(
            f"{source}, line {first + place}: the filter {path[:80]!r} finds nothing",
            evidence=documents[place].as_py()[:80],
            hint="correct the filter, or the record",
        )
    return kept


def _several_lines(documents: Array) -> bool:
    return bool(pc.any(pc.match_substring(documents, "\n"), min_count=0).as_py())


def wrapped(json: Documents, answers: Array, records: Array | None, ids: Array | None, time: str) -> Array:
    """Answers below ``SageMakerOutput``, with ids and the time of the job, and the keys of their records.

    A record that is no object stands below ``SageMakerInput``.
    """
    columns, parts = {"o": answers}, []
    if ids is not None:
        columns["i"] = ids
        parts += [f"'\"{ID}\":\"' || i || '\"'", quoted(f'"{TIME}":"{time}"')]
    parts.append(f"'\"{OUTPUT}\":' || o")
    if records is not None:
        columns["d"] = records
        record = f"CAST({_RECORD} AS VARCHAR)"
        inside = f"nullif(substr({record}, 2, length({record}) - 2), '')"
        parts.append(f"CASE WHEN json_type(d) = 'OBJECT' THEN {inside} ELSE '\"{INPUT}\":' || json(d) END")
    return json.evaluate_table(columns, found="'{' || concat_ws(',', " + ", ".join(parts) + ") || '}'")["found"]
