"""Every form of a body, against the columns that a person would write down for it."""

from __future__ import annotations

import base64
from typing import Any

import pytest

Columns = dict[str, list[Any]]


def b64(text: str) -> tuple[str, str]:
    return "BASE64", base64.b64encode(text.encode()).decode()


TENSORS = {
    "inputs": [
        {"name": "x", "shape": [2, 2], "datatype": "FP32", "data": [1.5, 2.5, 3.5, 4.5]},
        {"name": "plan", "shape": [2], "datatype": "BYTES", "data": ["a, [b]", None]},
    ]
}
NESTED_TENSORS = {"outputs": [{"name": "p", "shape": [2, 1], "datatype": "FP64", "data": [[0.1], [0.2]]}]}
FORMS: dict[str, tuple[Any, Any, Columns]] = {
    "one line": ("1,2.5,x", "0.5", {"_c0": [0.5], "_c1": [1], "_c2": [2.5], "_c3": ["x"]}),
    "several lines": ("1,2\n3,4\n", "0.5\n0.6", {"_c0": [0.5, 0.6], "_c1": [1, 3], "_c2": [2, 4]}),
    "crlf": ("1,2\r\n3,4\r\n", "0.5\r\n0.6", {"_c0": [0.5, 0.6], "_c1": [1, 3], "_c2": [2, 4]}),
    "old mac": ("1,2\r3,4\r", "0.5\r0.6", {"_c0": [0.5, 0.6], "_c1": [1, 3], "_c2": [2, 4]}),
    "quotes": ('"a, ""b""",1\n"c\nd",2', "1\n2", {"_c0": [1, 2], "_c1": ['a, "b"', "c\nd"], "_c2": [1, 2]}),
    "quotes inside a cell": ('5" pipe,1', "1", {"_c0": [1], "_c1": ['5" pipe'], "_c2": [1]}),
    "quoted numbers": ('"1","2.5"', '"0.5"', {"_c0": [0.5], "_c1": [1], "_c2": [2.5]}),
    "empty cells": (',"", ,1', "0.5", {"_c0": [0.5], "_c1": [None], "_c2": [None], "_c3": [None], "_c4": [1]}),
    "an empty line of one column": ("1\n\n3", "1\n2\n3", {"_c0": [1, 2, 3], "_c1": [1, None, 3]}),
    "a header": ("age,plan\n30,a\n40,b", "p\n0.5\n0.6", {"p": [0.5, 0.6], "age": [30, 40], "plan": ["a", "b"]}),
    "a quoted header": ('"the age","a,b"\n30,1', "1", {"_c0": [1], "the age": [30], "a,b": [1]}),
    "a mark before text": ("\ufeff1,2", "0.5", {"_c0": [0.5], "_c1": [1], "_c2": [2]}),
    "unicode": ("ünï,木,🎈", "1", {"_c0": [1], "_c1": ["ünï"], "_c2": ["木"], "_c3": ["🎈"]}),
    "one object": ({"age": 30, "plan": "a"}, {"score": 0.5}, {"score": [0.5], "age": [30], "plan": ["a"]}),
    "nested": (
        {"customer": {"age": 30, "tags": ["a", "b"]}, "ok": True},
        {"scores": [0.1, 0.9]},
        {"scores.0": [0.1], "scores.1": [0.9], "customer.age": [30], "customer.tags.0": ["a"],
         "customer.tags.1": ["b"], "ok": ["true"]},
    ),
    "objects in a list in an object": (
        {"items": [{"n": 1}, {"n": 2, "x": "y"}]}, 1,
        {"_c0": [1], "items.0.n": [1], "items.0.x": [None], "items.1.n": [2], "items.1.x": ["y"]},
    ),
    "instances of lists": (
        {"instances": [[1, "a"], [2, None]]}, {"predictions": [0.5, 0.6]},
        {"_c0": [0.5, 0.6], "_c1": [1, 2], "_c2": ["a", None]},
    ),
    "instances of objects": (
        {"instances": [{"a": 1}, {"a": 2, "b": "x"}]}, {"predictions": [{"score": 0.5}, {"score": 0.6}]},
        {"score": [0.5, 0.6], "a": [1, 2], "b": [None, "x"]},
    ),
    "features": ({"instances": [{"features": [1, 2]}]}, {"predictions": [{"score": 1}]},
                 {"score": [1], "_c1": [1], "_c2": [2]}),
    "instances of values": ({"instances": [1, 2, 3]}, {"predictions": [[4], [5], [6]]},
                            {"_c0": [4, 5, 6], "_c1": [1, 2, 3]}),
    "probabilities of one row": ({"instances": [[7, 8]]}, {"predictions": [[0.1, 0.9]]},
                                 {"_c0": [0.1], "_c1": [0.9], "_c2": [7], "_c3": [8]}),
    "lists of a column each": (
        {"inputs": {"a": [1, 2], "b": [[3, 4], [5, 6]]}}, {"outputs": {"p": [0.5, 0.6]}},
        {"p": [0.5, 0.6], "a": [1, 2], "b.0": [3, 5], "b.1": [4, 6]},
    ),
    "inputs and outputs as lists": ({"inputs": [[1, 2], [3, 4]]}, {"outputs": [0.5, 0.6]},
                                    {"_c0": [0.5, 0.6], "_c1": [1, 3], "_c2": [2, 4]}),
    "tensors": (TENSORS, NESTED_TENSORS,
                {"p": [0.1, 0.2], "x.0": [1.5, 3.5], "x.1": [2.5, 4.5], "plan": ["a, [b]", None]}),
    "columns and data": ({"columns": ["a", "b"], "data": [[1, "x"], [2, "y"]]}, [0.5, 0.6],
                         {"_c0": [0.5, 0.6], "a": [1, 2], "b": ["x", "y"]}),
    "dataframe_split": ({"dataframe_split": {"index": [0], "columns": ["a", "b"], "data": [[1, None]]}}, [0.5],
                        {"_c0": [0.5], "a": [1], "b": [None]}),
    "dataframe_records": ({"dataframe_records": [{"a": 1}, {"a": 2}]}, [0.5, 0.6],
                          {"_c0": [0.5, 0.6], "a": [1, 2]}),
    "a bare list is a row": ([1, 2, 3], 0.5, {"_c0": [0.5], "_c1": [1], "_c2": [2], "_c3": [3]}),
    "bare lists on both sides": ([1, 2], [0.1, 0.9], {"_c0": [0.1], "_c1": [0.9], "_c2": [1], "_c3": [2]}),
    "a bare list beside rows": ("1\n2\n3", [0.1, 0.2, 0.3], {"_c0": [0.1, 0.2, 0.3], "_c1": [1, 2, 3]}),
    "a keyed list beside one row": ("7", {"predictions": [0.1, 0.9]}, {"_c0": [0.1], "_c1": [0.9], "_c2": [7]}),
    "lists of lists": ([[1, 2], [3, 4]], [[5], [6]], {"_c0": [5, 6], "_c1": [1, 3], "_c2": [2, 4]}),
    "a list of objects": ([{"a": 1}, {"b": 2}], [1, 2], {"_c0": [1, 2], "a": [1, None], "b": [None, 2]}),
    "a bare value": ("1", 7, {"_c0": [7], "_c1": [1]}),
    "a bare text": ("1", ("JSON", '"yes\\n"'), {"_c0": ["yes\n"], "_c1": [1]}),
    "lists that differ inside": ([[1, [2, 3]]], 1, {"_c0": [1], "_c1": [1], "_c2": ["[2,3]"]}),
    "json lines": (("JSON", '{"a": 1}\n\n{"a": 2}\n'), ("JSON", '{"p": 1}\r\n{"p": 2}'), {"p": [1, 2], "a": [1, 2]}),
    "json lines of lists": (("JSON", "[1, 2]\n[3, 4]"), "1\n2", {"_c0": [1, 2], "_c1": [1, 3], "_c2": [2, 4]}),
    "json lines of features": (("JSON", '{"features": [1, 2]}\n{"features": [3, 4]}'), "1\n2",
                               {"_c0": [1, 2], "_c1": [1, 3], "_c2": [2, 4]}),
    "keys that differ in case": ({"a": 1, "A": 2, "": 3}, 1, {"_c0": [1], "a": [1], "A": [2], "": [3]}),
    "keys with every sign": ({"a.b/c~\"'": 1, "ü": {"x y": 2}}, 1, {"_c0": [1], "a.b/c~\"'": [1], "ü.x y": [2]}),
    "one name twice": ({"a.b": 1, "a": {"b": 2}}, 1, {"_c0": [1], "a.b": [1], "a.b.1": [2]}),
    "no values": ({"a": None, "b": ""}, 1, {"_c0": [1], "a": [None], "b": [None]}),
    "base64 of csv": (b64("1,ü"), b64("0.5\n"), {"_c0": [0.5], "_c1": [1], "_c2": ["ü"]}),
    "base64 of json": (b64(' {"instances": [[1, 2]]}'), b64("[0.5]"), {"_c0": [0.5], "_c1": [1], "_c2": [2]}),
    "json beside csv": ({"a": 1}, "0.5,x", {"_c0": [0.5], "_c1": ["x"], "a": [1]}),
    "features called like our columns": ({"id": 1, "row": 2}, {"time": 3}, {"time": [3], "id": [1], "row": [2]}),
    "one name on both sides": ({"a": 1, "b": 2}, {"a": 3}, {"output.a": [3], "input.a": [1], "b": [2]}),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_forms(captures: Any, name: str) -> None:
    request, answer, columns = FORMS[name]
    made = captures((request, answer))
    assert made.found.rejects == ()
    assert made.columns == [columns]
    assert list(made.columns[0]) == list(columns)
    assert made.rows == [[("e0", row) for row in range(len(next(iter(columns.values()))))]]


@pytest.mark.parametrize("name", sorted(FORMS.keys() - {"one name twice"}))
def test_forms_beside_many_others(captures: Any, name: str) -> None:
    """A body is read as if it stood alone, though all are read together; absent keys may join, and texts stay texts."""
    # In one column with a number, an object is its text.
    others = [(request, answer) for other, (request, answer, _) in FORMS.items() if other != "one name twice"]
    made = captures(FORMS[name][:2], *others)
    assert made.found.rejects == ()
    assert made.found.usable == sum(len(rows) for rows in made.rows)
    found = {}
    for columns, rows in zip(made.columns, made.rows, strict=True):
        chosen = [place for place, (event, _) in enumerate(rows) if event == "e0"]
        if chosen:
            found = {column: [values[place] for place in chosen] for column, values in columns.items()}
    wanted = FORMS[name][2]
    texts = sorted(str(value) for values in wanted.values() for value in values if value is not None)
    assert sorted(str(value) for values in found.values() for value in values if value is not None) == texts


def test_names_that_are_given(captures: Any) -> None:
    names = ("p", "age", "plan")
    assert list(captures(("30,a", "0.5"), names=names).columns[0]) == ["p", "age", "plan"]
    assert list(captures(([30, "a"], 0.5), names=names).columns[0]) == ["p", "age", "plan"]
    assert list(captures(("30,a", {"score": 0.5}), names=names).columns[0]) == ["score", "age", "plan"]
    assert list(captures(("30,a", "0.5"), names=names[1:]).columns[0]) == ["_c0", "age", "plan"]
    assert list(captures(("30,a", None), names=names[1:]).columns[0]) == ["age", "plan"]
    assert list(captures(("30,a", "0.5"), names=("x",)).columns[0]) == ["_c0", "_c1", "_c2"]
    assert list(captures(("30", "0.5"), names=("a", "a")).columns[0]) == ["output.a", "input.a"]


def test_headers(captures: Any) -> None:
    """Texts above texts are data, unless they are the names that were given or every body has a header."""
    body = ("plan,city\na,b", "1")
    assert captures((body[0], "1\n2")).columns == [{"_c0": [1, 2], "_c1": ["plan", "a"], "_c2": ["city", "b"]}]
    assert captures(body, names=("p", "plan", "city")).columns == [{"p": [1], "plan": ["a"], "city": ["b"]}]
    assert captures(body, header=True).columns == [{"_c0": [1], "plan": ["a"], "city": ["b"]}]
    numbers = ("x,y\n1,2", "p\n1")
    assert captures(numbers).columns == [{"p": [1], "x": [1], "y": [2]}]
    assert captures(numbers, header=False).columns == [{"_c0": ["p", "1"], "_c1": ["x", "1"], "_c2": ["y", "2"]}]


def test_types_by_the_text_of_values(captures: Any) -> None:
    made = captures(("6,1.5,1,007,2020-01-01,0x1F,nan", "1"), ("6.5,1e3,,-1,12:30,2,0.5", "2"))
    assert list(made.types[0].values()) == ["int64", "string", "double", "int64", "int64", "string", "string", "double"]
    assert made.columns[0]["_c1"] == ["6", "6.5"]
    assert made.columns[0]["_c5"] == ["2020-01-01", "12:30"]
    assert made.columns[0]["_c6"] == ["0x1F", "2"]
    made = captures(({"a": 6, "b": 1}, "99999999999999999999"), ({"a": 6.0, "b": "x"}, "1"))
    assert made.columns == [{"_c0": ["99999999999999999999", "1"], "a": ["6", "6.0"], "b": ["1", "x"]}]
