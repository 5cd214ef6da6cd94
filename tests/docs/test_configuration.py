"""The configuration reference is what the code says."""

from __future__ import annotations

from pathlib import Path

from driftline.cli.app import app
from driftline.cli.reference import main, options, reference
from driftline.core.configuration import SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(app), "run: make docs"


def test_every_variable_and_command_is_in_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [one.name for one in SETTINGS if f"| `{one.name}` |" not in page] == []
    assert [name for name in options(app) if f"### driftline {name}\n" not in page] == []


def test_an_option_tells_its_default_and_variable_and_a_hidden_one_is_not_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    serve = page[page.index("### driftline serve\n") :].partition("\n### ")[0]
    assert "| `--port` | `8080` |" in serve
    assert "(variable `DRIFTLINE_DATABASE`) |" in serve
    assert "--clock" not in serve


def test_the_command_writes_it(tmp_path: Path) -> None:
    main([str(tmp_path / "page.md")])
    assert (tmp_path / "page.md").read_bytes() == PAGE.read_bytes()
