"""``driftline constraints …``: look at constraints, compare and change them, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftline.cli.analysis import read_file
from driftline.cli.output import out, table

if TYPE_CHECKING:
    from driftline.core.constraint_changes import Change
    from driftline.core.constraint_documents import Constraints
    from driftline.core.documents import ModelQualityConstraints
    from driftline.core.table_constraints import DataQualityConstraints

constraints = typer.Typer(help="Look at constraints, compare and change them.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(help="constraints.json of any monitor")]
Json = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


@constraints.command("show")
def show_constraints(file: File, json: Json = False) -> int:
    """What a file of constraints asks for, and why each rule was suggested; of an analysis, what was found."""
    from driftline.core.constraint_documents import any_constraints_document

    out.json = json
    found = _read(file)
    out.result(any_constraints_document(found), _shown(found))
    return 0


@constraints.command("diff")
def diff_constraints(
    before: Annotated[Path, typer.Argument(help="constraints.json as it was")],
    after: Annotated[Path, typer.Argument(help="constraints.json as it is")],
    json: Json = False,
) -> int:
    """What differs between two files of constraints. The exit code is 0 whether or not something does."""
    from driftline.core.constraint_changes import diff
    from driftline.core.constraint_documents import rules_of

    out.json = json
    found = diff(rules_of(_read(before)), rules_of(_read(after)))
    out.result(found, _told(found))
    return 0


@constraints.command("edit")
def edit_constraints(
    file: File,
    edits: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="PATH=VALUE", help="such as age.completeness=0.98, age.domain+=x, f2.threshold=0.6"
        ),
    ] = None,
    removed: Annotated[
        list[str] | None, typer.Option("--remove", metavar="PATH", help="a setting, a feature or a metric")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="write here instead of to the file")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would change")] = False,
    json: Json = False,
) -> int:
    """Change settings and say what changed. What is not valid is refused, and the file stays as it is."""
    from driftline.core.constraint_changes import diff
    from driftline.core.constraint_documents import any_constraints_document, rules_of
    from driftline.core.constraint_edits import with_changes
    from driftline.core.constraint_paths import parse_edit
    from driftline.core.documents import dump
    from driftline.core.errors import InputError
    from driftline.storage.files import write_atomic

    out.json = json
    if not edits and not removed:
        raise InputError("nothing to change", hint="give --set PATH=VALUE or --remove PATH")
    before = rules_of(_read(file))
    pairs: list[tuple[str, Any]] = [*map(parse_edit, edits or ()), *((path, None) for path in removed or ())]
    after = with_changes(before, pairs)
    changes = diff(before, after)
    if not dry_run and (changes or output is not None):
        write_atomic(output or file, dump(any_constraints_document(after)))
    out.result(changes, _told(changes))
    return 0


def _read(file: Path) -> Constraints:
    from driftline.core.constraint_documents import read_any_constraints

    return read_any_constraints(read_file(file), str(file))


def _told(changes: tuple[Change, ...]) -> list[str]:
    return [change.text for change in changes] or ["no difference"]


def _shown(found: Constraints) -> list[str]:
    from driftline.cli.analyses import attribution_lines, bias_lines
    from driftline.core.attribution_analysis import AttributionAnalysis
    from driftline.core.bias_analysis import BiasAnalysis
    from driftline.core.documents import ModelQualityConstraints

    if isinstance(found, BiasAnalysis):
        return bias_lines(found)
    if isinstance(found, AttributionAnalysis):
        return attribution_lines(found)
    return _model_lines(found) if isinstance(found, ModelQualityConstraints) else _table_lines(found)


def _model_lines(found: ModelQualityConstraints) -> list[str]:
    rows = [
        (name, one.comparison_operator, f"{one.threshold:.6g}", one.suggestion or "")
        for name, one in found.constraints.items()
    ]
    return [f"model quality, {found.problem_type}", *table(rows, ("metric", "violated when", "threshold", "why"))]


def _table_lines(found: DataQualityConstraints) -> list[str]:
    from driftline.core.constraint_changes import in_words, settings_of

    sections = settings_of(found)
    rows = [
        (section[1], settings["inferred_type"], _rules(settings))
        for section, settings in sections.items()
        if section[0] == "feature"
    ]
    config = [
        f"{'.'.join(section)}: " + ", ".join(f"{key} {in_words(value)}" for key, value in settings.items())
        for section, settings in sections.items()
        if section[0] != "feature"
    ]
    return [f"data quality, {len(found.features)} features", *config, *table(rows, ("feature", "type", "rules"))]


def _rules(settings: dict[str, Any]) -> str:
    """A feature's rules, each with the reason it was suggested for."""
    from driftline.core.constraint_changes import in_words

    reasons = settings.get("suggestion", {})
    found = [
        f"{name} {in_words(value)}" + (f" ({reasons[name]})" if name in reasons else "")
        for name, value in settings.items()
        if name not in ("inferred_type", "suggestion")
    ]
    return "; ".join(found) or "none"
