"""Whole files through a model: what an endpoint would answer, filtered, joined and with ids."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from driftline.core.errors import InputError
from driftline.resources.transforms import TransformSettings
from driftline.serving.errors import MediaTypeError
from driftline.serving.runtime import Model, load_model
from driftline.serving.transform.files import Transformer
from driftline.serving.transform.paths import parse_path

NOW = datetime(2022, 8, 30, 0, 49, 15, tzinfo=UTC)
ROWS = ["0.1,0.2,0.3", "-1,0,1", "2,,-0.5"]


@pytest.fixture(scope="module")
def model(model_file: Path) -> Model:
    return load_model(model_file)


def settings(**options: Any) -> TransformSettings:
    given = {"split": "Line", "assemble": "Line"} | options
    return TransformSettings(model_path="model", input="s3://in/", output="s3://out/", **given)


def lines(model: Model, content: str, **options: Any) -> list[str]:
    found = Transformer(model, settings(**options), NOW).file(content.encode(), "s3://in/day.csv")
    assert found.content.endswith(b"\n")
    return found.content.decode().splitlines()


@pytest.fixture(scope="module")
def scores(model: Model) -> list[str]:
    return lines(model, "\n".join(ROWS))


def test_the_published_file_is_answered_as_the_endpoint_answers_it(
    churn: Path, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    path = churn / "xgb-churn-prediction-model.tar.gz"
    rows = (churn / "test-dataset-input-cols.csv").read_bytes()
    found = Transformer(load_model(path), settings(assemble="None"), NOW).file(rows, "rows")
    answer = serve(tmp_path, path).post(rows.decode())
    assert found.content == answer.content
    assert (found.records, found.content.count(b"\n")) == (334, 333)


def test_many_blocks_are_one_file(model: Model, scores: list[str]) -> None:
    assert lines(model, "\n".join(ROWS * 7000)) == scores * 7000


def test_columns_are_chosen_before_the_model_and_after(model: Model, scores: list[str]) -> None:
    content = "".join(f'"id, {n}",{row}\r\n' for n, row in enumerate(ROWS))
    found = lines(model, content, input_filter="$[1:]", join=True, output_filter="$[0,-1]")
    assert list(csv.reader(found)) == [[f"id, {n}", score] for n, score in enumerate(scores)]


def test_ids_and_the_time_come_last(model: Model, scores: list[str]) -> None:
    found = lines(model, "\n".join(ROWS), join=True, generate_ids=True)
    rests = [line.removeprefix(f"{row},{score},") for line, row, score in zip(found, ROWS, scores, strict=True)]
    ids, times = zip(*(rest.split(",") for rest in rests), strict=True)
    assert set(times) == {"2022-08-30T00:49:15Z"}
    assert len(set(ids)) == len(ROWS)
    assert {(UUID(one).version, UUID(one).variant) for one in ids} == {(4, "specified in RFC 4122")}


def test_lines_of_documents_are_joined(model: Model, scores: list[str]) -> None:
    given = [json.dumps({"id": n, "features": [None if cell == "" else float(cell) for cell in row.split(",")]})
             for n, row in enumerate(ROWS)]  # fmt: skip
    options = {"content_type": "application/jsonlines", "input_filter": "$.features", "join": True}
    found = [json.loads(line) for line in lines(model, "\n".join(given), generate_ids=True, **options)]
    assert [one["SageMakerOutput"] for one in found] == [{"score": float(score)} for score in scores]
    assert [one["id"] for one in found] == [0, 1, 2]
    assert {one["SageMakerInferenceTime"] for one in found} == {"2022-08-30T00:49:15Z"}
    kept = lines(model, "\n".join(given), output_filter="$['id','SageMakerOutput']", **options)
    assert [list(json.loads(line)) for line in kept] == [["id", "SageMakerOutput"]] * 3
    again = lines(model, "\n".join(json.dumps(one) for one in found), **options)
    assert all(line.count("SageMakerOutput") == 1 for line in again)


def test_a_record_that_is_no_object_has_a_key_of_its_own(model: Model) -> None:
    (found,) = lines(model, "[1, 2, 3]", content_type="application/jsonlines", join=True)
    assert list(json.loads(found)) == ["SageMakerOutput", "SageMakerInput"]


def test_a_whole_document_is_one_request(model: Model, scores: list[str]) -> None:
    given = json.dumps({"instances": [{"features": [0.1, 0.2, 0.3]}, {"features": [-1, 0, 1]}]}, indent=1)
    options: dict[str, Any] = {"content_type": "application/json", "split": "None", "join": True, "generate_ids": True}
    (found,) = (json.loads(line) for line in lines(model, given, **options))
    assert list(found) == ["SageMakerInferenceId", "SageMakerInferenceTime", "SageMakerOutput", "instances"]
    assert found["SageMakerOutput"] == {"predictions": [{"score": float(score)} for score in scores[:2]]}


@pytest.mark.parametrize("accept", ["application/json", "application/jsonlines"])
def test_rows_are_answered_by_documents(model: Model, scores: list[str], accept: str) -> None:
    answers = [{"score": float(score)} for score in scores]
    whole = [{"predictions": [answer]} for answer in answers]
    found = [json.loads(line) for line in lines(model, "\n".join(ROWS), accept=accept)]
    assert found == (answers if accept.endswith("lines") else whole)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("1,2,3\n1,x,3", {}, "day.csv, line 2: the row, column 2: not a number"),
        ("1,2,3\n\n1,2,3", {}, "line 2: the row has 1 columns, and the model has 3"),
        ("9,1,2,3\n1,2,3", {"input_filter": "$[1:]"}, "line 2: not 4 columns as in line 1"),
        ("1,2,3", {"input_filter": "$[3]"}, "chooses a column that is not there"),
        ("1,2,3", {"input_filter": "$.age"}, "CSV columns have none"),
        ("[1,2,3]\n[1,2", {"content_type": "application/jsonlines"}, "line 2: no JSON"),
        ("[1,2,3]\n[1,2]", {"content_type": "application/jsonlines"}, "line 2: the row has 2 columns"),
        ('{"a":[1,2,3]}\n{}', {"content_type": "application/jsonlines", "input_filter": "$.a"}, "line 2: the filter"),
        ("{", {"content_type": "application/json", "split": "None"}, "day.csv: no JSON"),
        (" \n", {}, "is empty"),
        ("1,2,3", {"join": True, "accept": "application/json"}, "cannot stand beside its record"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(model: Model, content: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        lines(model, content, **options)


def test_a_row_after_many_blocks_is_told_with_its_line(model: Model) -> None:
    with pytest.raises(InputError, match="line 45001: the row, column 1"):
        lines(model, "\n".join(["1,2,3"] * 45_000 + ["x,2,3"]))


def test_a_content_type_that_is_not_read_is_refused(model: Model) -> None:
    with pytest.raises(MediaTypeError, match="not transformed here"):
        lines(model, "1", content_type="image/png")


@pytest.mark.parametrize("path", ["age", "$..age", "$[*]", "$[?(@.a)]", "$[", "$.a b"])
def test_paths_of_other_kinds_are_refused(path: str) -> None:
    with pytest.raises(InputError, match="the filter"):
        parse_path(path)
