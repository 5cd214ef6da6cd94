"""Any JMESPath: the quick way through a JSON path finds what the jmespath library finds, and the slow way the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jmespath
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.core.errors import InputError
from driftline.engine.attributes import OutputAttributes
from driftline.engine.expressions import compiled, json_path
from driftline.engine.local import LocalEngine
from driftline.engine.search import Search
from driftline.engine.sql import MACROS
from driftline.testing import capture, write_captures

NAMES = ["a", "b", "score", "_x1", "my label", "it's", "a.b", "ü木", "$", "#", "[0]", "~"]
scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["", "cat", "0.25", 'say "x"', "\\", "\n", "[1]", "null", "日本"]),
)
documents = st.recursive(
    scalars,
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(st.sampled_from(NAMES), inside, max_size=3)),
    max_leaves=12,
)
plain = st.sampled_from(["a", "b", "score", "_x1"])
quoted = st.sampled_from(NAMES).map(lambda name: json.dumps(name, ensure_ascii=False))
names = st.one_of(plain, quoted)
indices = st.integers(-3, 3).map(lambda index: f"[{index}]")


@st.composite
def paths(draw: Any) -> str:
    """A path of names, indices and at most one ``[*]``."""
    found, starred = draw(st.one_of(names, st.just("[*]"))), False
    starred = found == "[*]"
    for _ in range(draw(st.integers(0, 3))):
        kinds = [names.map(lambda name: f".{name}"), indices, *([] if starred else [st.just("[*]")])]
        step = draw(st.one_of(*kinds))
        starred |= step == "[*]"
        found += step
    return found


def decoded(texts: list[str | None]) -> list[Any]:
    """Texts as values where they are JSON, so that 1.0 is 1 and spaces do not matter."""
    found: list[Any] = []
    for text in texts or [None]:
        try:
            found.append(None if text is None else json.loads(text))
        except ValueError:
            found.append(text)
    return found


@pytest.fixture(scope="module")
def connection() -> Any:
    import duckdb

    db = duckdb.connect()
    for macro in MACROS:
        db.execute(macro)
    return db


@settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(path=paths(), document=documents)
def test_the_quick_way_finds_what_the_library_finds(connection: Any, path: str, document: Any) -> None:
    quick = json_path(path)
    assert quick is not None or '"' in path or "[-0]" in path
    text = json.dumps(document, ensure_ascii=False)
    for vectors in (False, True):
        wanted = Search(path, vectors=vectors).values(text)
        if quick is None:
            continue
        macro = "json_vectors" if vectors else "json_values"
        ((found,),) = connection.execute(f"SELECT {macro}($document, '{quick.replace(chr(39), chr(39) * 2)}')",
                                         {"document": text}).fetchall()  # fmt: skip
        assert decoded(found) == decoded(wanted)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(path=paths(), document=documents)
def test_the_slow_way_gives_the_library_s_values(path: str, document: Any) -> None:
    found = jmespath.search(path, document)
    texts = Search(path).values(json.dumps(document))
    wanted = found if isinstance(found, list) and found else [None if found == [] else found]
    assert len(texts) == len(wanted)
    for text, value in zip(texts, wanted, strict=True):
        assert text == value if isinstance(value, str | None) else json.loads(text or "") == value


QUICK = [
    ("predictions[*].score", '$."predictions"[*]."score"'),
    ("a.b[0]", '$."a"."b"[0]'),
    ("[-1]", "$[#-1]"),
    ('"my label"', '$."my label"'),
    ("7", "$[7]"),
]
SLOW = [
    '"a.b"', '"a[0]"',
    '"*"', '"a\\"b"', '"a\\\\b"', "*", "*.a", "a[]", "a[].b", "a[*].b[*]", "a[0:2]", "[?a]", "a | b", "@", "[a, b]",
    "{x: a}", "sum(a)", "a || b", "`1`", "'x'", "a[-0]", "a[9999999999]", "&a", "!a", "(a)", "a == b",
]  # fmt: skip


@pytest.mark.parametrize(("path", "wanted"), QUICK)
def test_simple_paths_are_json_paths(path: str, wanted: str) -> None:
    assert json_path(path) == wanted


@pytest.mark.parametrize("path", SLOW)
def test_all_others_are_searched(path: str) -> None:
    assert json_path(path) is None
    assert compiled(path) is compiled(path)
    assert OutputAttributes(inference=path).inference == path


BROKEN = [
    ("", ""), ("a b", "character 3"), ("a[", "character 3"), ("a..b", "character 3"), ("a[x]", "character 3"),
    ("`x", "character 1"), ("foo(", "character 5"), ("$.a", "character 1"), ("a.b[?c=1]", "character 7"),
    ("nosuch(a)", "character 1: there is no function nosuch()"),
    ("a[?nosuch(b)].c", "character 4: there is no function nosuch()"),
    ("length()", "character 1: length() has 0 arguments"),
    ("a | sort_by(@)", "character 5: sort_by() has 1 arguments"),
    ("[" * 100_000, ""),
]  # fmt: skip


@pytest.mark.parametrize(("path", "place"), BROKEN, ids=[path[:20] or "empty" for path, _ in BROKEN])
def test_what_is_no_jmespath_is_refused_with_its_place(path: str, place: str) -> None:
    for attributes in ({"probability": path}, {"inference": path}):
        with pytest.raises(InputError, match="is no JMESPath") as error:
            OutputAttributes(**attributes)
        assert place in error.value.what
        assert len(error.value.what) < 400
        assert "predictions[*].score" in error.value.hint


def read(folder: Path, bodies: list[str], attributes: OutputAttributes, *, encoded: bool = False) -> list[Any]:
    """Score and prediction of every row, in order; the content is JSON, plain or in BASE64."""
    kind = "application/octet-stream" if encoded else "application/json"
    records = [capture(body, f"e{place:03}", content_type=kind) for place, body in enumerate(bodies)]
    files = [str(path) for path in write_captures(folder, records)]
    with LocalEngine() as engine:
        engine.load_captures(files, attributes, None)
        engine.without_labels()
        rows = [row for batch in engine.joined() for row in batch.to_pylist()]
    return [(row["score"], row["prediction"]) for row in sorted(rows, key=lambda row: (row["id"], row["row"]))]


BODY = json.dumps({"items": [{"ok": True, "p": 0.25, "is": "cat"}, {"ok": False, "p": 0.5}, {"ok": True, "p": 1}]})
SEARCHES = [
    ("items[?ok].p", [0.25, 1.0]),
    ("items[?p > `0.3`].p", [0.5, 1.0]),
    ("items[-1:].p", [1.0]),
    ("max_by(items, &p).p", [1.0]),
    ("items[].p | [0]", [0.25]),
    ("sum(items[*].p)", [1.75]),
    ("items[*].[p, p][]", [0.25, 0.25, 0.5, 0.5, 1.0, 1.0]),
    ("not_null(nothing, items[1].p)", [0.5]),
]


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(("path", "scores"), SEARCHES)
def test_searches_in_captures(tmp_path: Path, path: str, scores: list[float], encoded: bool) -> None:
    assert read(tmp_path, [BODY], OutputAttributes(probability=path), encoded=encoded) == [(s, None) for s in scores]


def test_many_bodies_each_have_their_own_answer(tmp_path: Path) -> None:
    """More bodies than one call of the search gets, many of them equal, with bad ones between."""
    bodies = [json.dumps({"p": [(n % 50) / 100], "x": {"is": f"c{n % 7}"}}) for n in range(5000)]
    bodies[10], bodies[20], bodies[30] = "{}", "{broken", '{"p": "none"}'
    alone = OutputAttributes(probability="p | [0]")
    wanted = [(n % 50) / 100 for n in range(5000) if n not in (10, 20, 30)]
    found = read(tmp_path / "one", bodies, alone)
    assert sorted(score for score, _ in found) == sorted(wanted)
    named = OutputAttributes(probability="p | [0]", inference="x | is")
    pairs = read(tmp_path / "two", bodies, named)
    assert sorted(pairs) == sorted(((n % 50) / 100, f"c{n % 7}") for n in range(5000) if n not in (10, 20, 30))


def test_a_search_that_fails_on_a_document_refuses_that_one_only(tmp_path: Path) -> None:
    bodies = ['{"p": [0.5, 0.25]}', '{"p": "text"}', '{"p": [0.75]}', '{"p": null}']
    assert read(tmp_path, bodies, OutputAttributes(probability="max(p)")) == [(0.5, None), (0.75, None)]


def test_of_values_that_are_null_the_quick_way_keeps_the_place(tmp_path: Path) -> None:
    """The one difference: a JMESPath leaves a null out, and the rows after it would belong to other labels."""
    body = '{"p": [{"s": 0.25}, {"s": null}, {"s": 0.75}]}'
    files = [str(path) for path in write_captures(tmp_path, [capture(body, "e", content_type="application/json")])]
    with LocalEngine() as engine:
        found = engine.load_captures(files, OutputAttributes(probability="p[*].s"), None)
        engine.without_labels()
        rows = [(row["row"], row["score"]) for batch in engine.joined() for row in batch.to_pylist()]
    assert sorted(rows) == [(0, 0.25), (2, 0.75)]
    assert [(reject.reason, reject.count) for reject in found.rejects] == [("no_value", 1)]
    assert Search("p[*].s").values(body) == ["0.25", "0.75"]
