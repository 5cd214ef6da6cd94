"""driftline against the tools one would otherwise take, measured in turn on this machine; see README.md beside it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import data
import endpoint
import measure
import peers
import w2
import w4
import w5
from contest import HERE, MEGABYTE, SLOW, Bench, Subject, compare, said, say

GROUPS = ("w1", "w2", "w2-captures", "w2-wide", "w3", "w4", "w5", "endpoint", "weight", "import")
# Some gigabytes and many minutes: only when it is asked for.
ASKED_ONLY = ("w2-wide",)


def statistics_of(path: Path) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What driftline wrote into a statistics document, by the names of the metrics."""

    def read(_: dict[str, Any]) -> dict[str, Any]:
        family = json.loads(path.read_text())["binary_classification_metrics"]
        matrix = family["confusion_matrix"]
        counts = {"tn": matrix["0"]["0"], "fp": matrix["0"]["1"], "fn": matrix["1"]["0"], "tp": matrix["1"]["1"]}
        values = {name: metric["value"] for name, metric in family.items() if "value" in metric}
        return {**counts, **values}

    return read


def baseline_command(python: Path, file: Path, report: Path) -> list[str]:
    """driftline's own command for a file of predictions."""
    columns = ["--prediction", "prediction", "--probability", "probability", "--label", "label"]
    return [str(python.with_name("driftline")), "baseline", "model-quality", str(file), *columns, "-o", str(report)]


def w1(bench: Bench) -> None:
    """Binary quality of a Parquet file of (probability, prediction, label)."""
    file = data.table(bench.data, bench.options.rows)
    report = bench.work / "w1"
    name = bench.driftline("xgboost")
    python = peers.python(bench.work, name)
    subjects = [
        Subject(
            "driftline",
            peers.version(bench.work, name, "driftline"),
            baseline_command(python, file, report),
            statistics_of(report / "statistics.json"),
        ),
        Subject(
            "floor", "DuckDB " + peers.version(bench.work, name, "duckdb"), [str(python), str(HERE / "w1_floor.py")]
        ),
        *(
            bench.peer(peer, f"w1_{peer.replace('-', '_')}.py")
            for peer in ("scikit-learn", "evidently", "nannyml", "deepchecks", "pyspark")
        ),
    ]
    for subject in subjects[1:]:
        subject.command.append(str(file))
        subject.verify = said
    bench.rounds("w1", subjects, 300)
    compare(subjects)


def w3(bench: Bench) -> None:
    """The scheduled job: capture lines joined with label lines, then the same metrics."""
    folders = [str(folder) for folder in data.captures(bench.data, bench.options.rows)]
    report = bench.work / "w3"
    name = bench.driftline("xgboost")
    python = peers.python(bench.work, name)
    tool = str(python.with_name("driftline"))
    baseline = bench.work / "w3-baseline"
    measure.run(
        baseline_command(python, data.table(bench.data, bench.options.rows), baseline),
        bench.work / "report.json",
        bench.env,
        300,
    )
    ours = [tool, "check", "model-quality", "--captures", folders[0], "--labels", folders[1]]
    ours += ["--constraints", str(baseline / "constraints.json"), "--probability-attribute", "0", "-o", str(report)]
    spark = w3_spark(bench, [*folders, str(baseline / "constraints.json"), str(bench.work / "w3-spark")])
    subjects = [
        Subject(
            "driftline",
            peers.version(bench.work, name, "driftline"),
            ours,
            statistics_of(report / "statistics.json"),
            (0, 1),
        ),
        Subject(
            "floor",
            "DuckDB " + peers.version(bench.work, name, "duckdb"),
            [str(python), str(HERE / "w3_floor.py"), *folders],
            said,
        ),
        spark,
        bench.peer("evidently", "w3_evidently.py", *folders),
        bench.peer("pyspark", "w3_pyspark.py", *folders),
    ]
    for subject in subjects[2:]:
        subject.verify = said
    bench.rounds("w3", subjects, 600)
    compare(subjects)


def w3_spark(bench: Bench, arguments: list[str]) -> Subject:
    """driftline's own engine for Spark, in an environment with Spark."""
    name = bench.driftline("spark")
    command = [str(peers.python(bench.work, name)), str(HERE / "w3_driftline_spark.py"), *arguments]
    return Subject("driftline on Spark", peers.version(bench.work, name, "driftline"), command)


def endpoints(bench: Bench) -> None:
    """One CSV row a request over 16 connections, every server in turn; idle servers stay up between their turns."""
    booster, row = data.model(bench.data), data.row()
    # One thread for every model: several threads for one row would only wait for each other.
    bench.env = {**bench.env, "OMP_NUM_THREADS": "1"}
    folder = bench.work / "serving"
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        calls: list[tuple[Subject, endpoint.Target]] = []
        bench.found["endpoint"] = []
        starts = {"driftline": _driftline_server, "fastapi": _fastapi, "mlflow": _mlflow, "bentoml": _bentoml}
        for start in (start for name, start in starts.items() if bench.wanted(name)):
            for subject, target in start(bench, stack, booster, row, folder):
                bench.found["endpoint"].append(subject)
                if target is not None:
                    calls.append((subject, target))
        for _, target in calls:
            endpoint.load(target, 1.0, folder)
        for number in range(bench.runs):
            for subject, target in calls:
                say(f"endpoint run {number + 1}: {subject.name}")
                done = endpoint.load(target, bench.options.load_seconds, folder)
                if done.failed:
                    subject.notes.append(f"{done.failed} of {done.requests} requests failed")
                if done.requests:
                    subject.rate.append(done.requests / done.seconds)
                    subject.cpu.append(done.cpu / done.requests * 1e6)
                    subject.memory.append(done.memory / MEGABYTE)


Started = Iterator[tuple[Subject, endpoint.Target | None]]


def _driftline_server(bench: Bench, stack: ExitStack, booster: Path, row: str, folder: Path) -> Started:
    name = bench.driftline("xgboost")
    tool = str(peers.python(bench.work, name).with_name("driftline"))
    version = peers.version(bench.work, name, "driftline")
    port = endpoint.free_port()
    url = f"http://127.0.0.1:{port}"
    command = [tool, "serve", "--data", str(folder / "driftline"), "--port", str(port)]
    server = stack.enter_context(_serving(endpoint.Server(command, bench.env, folder / "driftline.log", folder)))
    alive = endpoint.Target("driftline", url + "/nothing", "text/csv", row, server.process.pid)
    try:
        endpoint.wait_until_listening(alive, server.process)
    except RuntimeError as reason:
        yield Subject("driftline", version, failed=f"does not serve: {reason}"), None
        return
    for label, percent in (("capture 100 %", "100"), ("capture off", "0")):
        name = "all" if percent == "100" else "none"
        subject = Subject(f"driftline, {label}", version)
        deploy = [tool, "deploy", name, "--model", str(booster), "--capture-percent", percent, "--url", url]
        done = measure.run(deploy, bench.work / "report.json", bench.env, 60)
        target = alive._replace(name=f"driftline-{name}", url=f"{url}/endpoints/{name}/invocations")
        yield _answering(subject, target, server, done.get("error") or "")


def _fastapi(bench: Bench, stack: ExitStack, booster: Path, row: str, folder: Path) -> Started:
    command = ["-m", "uvicorn", "--app-dir", str(HERE), "serve_fastapi:app", "--host", "127.0.0.1"]
    command += ["--no-access-log", "--port", "{port}"]
    extra = {"BENCH_LOG": str(folder / "fastapi.jsonl")}
    yield _peer_server(bench, stack, booster, folder, "fastapi", command, ("/predict", "text/csv", row), extra)


def _mlflow(bench: Bench, stack: ExitStack, booster: Path, row: str, folder: Path) -> Started:
    saved = folder / "mlflow-model"
    if not bench.install("mlflow", peers.requirements("mlflow")) and not saved.exists():
        make = [str(peers.python(bench.work, "mlflow")), str(HERE / "make_mlflow.py"), str(booster), str(saved)]
        measure.run(make, bench.work / "report.json", bench.env, 120)
    command = ["-m", "mlflow", "models", "serve", "-m", str(saved), "--env-manager", "local", "-h", "127.0.0.1"]
    command += ["-p", "{port}", "--workers", "1"]
    header = ",".join(f"f{number}" for number in range(data.FEATURES))
    yield _peer_server(
        bench, stack, booster, folder, "mlflow", command, ("/invocations", "text/csv", f"{header}\n{row}\n")
    )


def _bentoml(bench: Bench, stack: ExitStack, booster: Path, row: str, folder: Path) -> Started:
    command = ["-m", "bentoml", "serve", "serve_bentoml:Model", "--working-dir", str(HERE)]
    command += ["--host", "127.0.0.1", "--port", "{port}"]
    body = json.dumps({"row": row})
    yield _peer_server(bench, stack, booster, folder, "bentoml", command, ("/predict", "application/json", body))


def _peer_server(
    bench: Bench,
    stack: ExitStack,
    booster: Path,
    folder: Path,
    name: str,
    command: list[str],
    call: tuple[str, str, str],
    extra: dict[str, str] | None = None,
) -> tuple[Subject, endpoint.Target | None]:
    missing = bench.install(name, peers.requirements(name))
    if missing:
        return Subject(name, failed=f"not installed: {missing}"), None
    subject = Subject(name, peers.version(bench.work, name, name))
    python = peers.python(bench.work, name)
    port = endpoint.free_port()
    path = f"{python.parent}{os.pathsep}{bench.env.get('PATH', '')}"
    env = {**bench.env, "PATH": path, "BENCH_MODEL": str(booster), **(extra or {})}
    whole = [str(python), *(part.replace("{port}", str(port)) for part in command)]
    server = stack.enter_context(_serving(endpoint.Server(whole, env, folder / f"{name}.log", folder)))
    target = endpoint.Target(name, f"http://127.0.0.1:{port}{call[0]}", call[1], call[2], server.process.pid)
    return _answering(subject, target, server, "")


def _answering(
    subject: Subject, target: endpoint.Target, server: endpoint.Server, error: str
) -> tuple[Subject, endpoint.Target | None]:
    """The contestant with its target when it answers; else it says why not."""
    say(f"endpoint: {subject.name} starts")
    try:
        if error:
            raise RuntimeError(error)
        answer = endpoint.wait_until_answering(target, server.process)
        subject.metrics["answer"] = endpoint.number_in(answer)
    except RuntimeError as reason:
        subject.failed = f"does not serve: {reason}"
        return subject, None
    return subject, target


@contextmanager
def _serving(server: endpoint.Server) -> Iterator[endpoint.Server]:
    try:
        yield server
    finally:
        server.close()


def weight(bench: Bench) -> None:
    """The bytes on disk of fresh installs, without what an empty environment holds."""
    installs = [
        ("driftline", bench.driftline("")),
        ("driftline[xgboost]", bench.driftline("xgboost")),
        ("evidently", "evidently-base"),
    ]
    bench.found["weight"] = subjects = []
    for label, name in installs:
        missing = bench.install(name, peers.requirements(name)) if name == "evidently-base" else ""
        if missing:
            subjects.append(Subject(label, failed=f"not installed: {missing}"))
            continue
        package = label.partition("[")[0]
        subject = Subject(label, peers.version(bench.work, name, package))
        subject.memory.append(measure.installed_bytes(bench.work / "venvs" / name / "lib") / MEGABYTE)
        subjects.append(subject)


def imports(bench: Bench) -> None:
    """The wall time of short processes."""
    name = bench.driftline("")
    python = str(peers.python(bench.work, name))
    tool = str(peers.python(bench.work, name).with_name("driftline"))
    version = peers.version(bench.work, name, "driftline")
    subjects = [
        Subject("import driftline", version, [python, "-c", "import driftline"]),
        Subject("driftline --help", version, [tool, "--help"]),
        Subject("python alone", platform.python_version(), [python, "-c", "pass"]),
    ]
    missing = bench.install("evidently-base", peers.requirements("evidently-base"))
    if missing:
        subjects.append(Subject("import evidently", failed=f"not installed: {missing}"))
    else:
        other = str(peers.python(bench.work, "evidently-base"))
        version = peers.version(bench.work, "evidently-base", "evidently")
        subjects.append(Subject("import evidently", version, [other, "-c", "import evidently"]))
    for subject in subjects:
        if subject.command:
            # The first import compiles; that is the installer's cost, not the program's.
            measure.run(subject.command, bench.work / "report.json", bench.env, 120)
    bench.rounds("import", subjects, 120, max(bench.runs, 5))


_JOB = [("wall", "wall s"), ("inside", "inside s"), ("cpu", "CPU s"), ("memory", "peak MB")]
COLUMNS: dict[str, list[tuple[str, str]]] = {
    **dict.fromkeys(("w1", "w2", "w2-captures", "w2-wide", "w3", "w4"), _JOB),
    "w5": [("rate", "rows/s"), *_JOB],
    "endpoint": [("rate", "requests/s"), ("cpu", "CPU µs/request"), ("memory", "resident MB")],
    "weight": [("memory", "installed MB")],
    "import": [("wall", "wall s"), ("cpu", "CPU s"), ("memory", "peak MB")],
}


def shown(values: list[float]) -> str:
    """Median with both ends, with as many digits as mean something."""
    if not values:
        return ""
    median, low, high, runs = measure.summary(values)
    digits = 0 if median >= 100 else 1 if median >= 10 else 2 if median >= 0.1 else 3
    ends = f" ({low:.{digits}f}–{high:.{digits}f})" if runs > 1 else ""
    return f"{median:.{digits}f}{ends}"


def table(group: str, subjects: list[Subject]) -> list[str]:
    """The lines of one group: what each costs, and how many times that of the first which ran, driftline, that is."""
    columns = COLUMNS[group]
    first = next((subject for subject in subjects if subject.wall or subject.cpu or subject.memory), subjects[0])
    header = [group, "version", *(title for _, title in columns), *(f"× {title}" for _, title in columns), "runs", ""]
    rows = [header]
    for subject in subjects:
        cells = [subject.name, subject.version, *(shown(getattr(subject, key)) for key, _ in columns)]
        cells += [_ratio(getattr(subject, key), getattr(first, key)) for key, _ in columns]
        runs = max(len(subject.wall), len(subject.rate), len(subject.memory))
        rows.append([*cells, str(runs or ""), subject.failed or "; ".join(subject.notes)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _ratio(values: list[float], ours: list[float]) -> str:
    return f"{measure.ratio(values, ours).median:.2f}" if values and ours else ""


def capture_cost(subjects: list[Subject]) -> list[str]:
    """What a record on disk costs a request."""
    on, off = ([*subject.cpu] for subject in subjects[:2])
    if not on or not off:
        return []
    costs = [a - b for a, b in zip(on, off, strict=False)]
    return [f"CPU µs a request for capture (on minus off): {shown(costs)}"]


def report(bench: Bench) -> str:
    """Every table."""
    lines = []
    for group, subjects in bench.found.items():
        lines += ["", *table(group, subjects)]
        if group == "endpoint":
            lines += capture_cost(subjects)
    head = f"{bench.options.rows:,} rows, {machine()}, load {bench.load:.1f} before and {os.getloadavg()[0]:.1f} after"
    how = "median (smallest–largest); × is the median, over the rounds, of the ratio to the first line with figures"
    return "\n".join([head, how, *lines, ""])


def machine() -> str:
    """What it ran on, in so far as it matters."""
    memory = os.sysconf("SC_PHYS_PAGES") * measure.PAGE / 1e9
    processors = len(os.sched_getaffinity(0))
    return f"{processors} processors, {memory:.0f} GB, Python {platform.python_version()}, {platform.machine()}"


def document(bench: Bench) -> dict[str, Any]:
    """Everything that was measured."""
    groups = {
        group: [
            {
                "name": subject.name,
                "version": subject.version,
                **{key: getattr(subject, key) for key in ("wall", "inside", "cpu", "memory", "rate")},
                "metrics": subject.metrics,
                "notes": subject.notes,
                "failed": subject.failed,
            }
            for subject in subjects
        ]
        for group, subjects in bench.found.items()
    }
    return {"rows": bench.options.rows, "runs": bench.runs, "machine": machine(), "load": bench.load, "groups": groups}


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5, help="runs of every contestant")
    parser.add_argument("--slow-runs", type=int, help=f"runs of one that takes over {SLOW:g} s (default: --runs)")
    usual = [group for group in GROUPS if group not in ASKED_ONLY]
    parser.add_argument("--only", default=",".join(usual), help="groups, by comma: " + ",".join(GROUPS))
    parser.add_argument("--wide-columns", type=int, default=1000, help="columns of w2-wide, at least 5")
    parser.add_argument("--tools", default="", help="contestants beside driftline, by comma (default: all)")
    parser.add_argument("--work", type=Path, default=HERE.parent / "build" / "bench", help="data and environments")
    parser.add_argument("--source", type=Path, default=HERE.parent, help="the source driftline is installed from")
    parser.add_argument("--keep", action="store_true", help="do not install driftline again when it is there")
    parser.add_argument("--load-seconds", type=int, default=4, help="length of one round of requests")
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    chosen.only = [group for group in chosen.only.split(",") if group]
    chosen.tools = [tool for tool in chosen.tools.split(",") if tool]
    unknown = sorted(set(chosen.only) - set(GROUPS))
    if unknown:
        parser.error(f"no such group: {', '.join(unknown)}")
    if chosen.runs < 1 or chosen.rows < 1 or chosen.wide_columns < 5:
        parser.error("--runs and --rows must be at least 1, --wide-columns at least 5")
    chosen.slow_runs = chosen.slow_runs or chosen.runs
    return chosen


def main() -> int:
    """Measure what was asked for; exit code 1 when driftline or the floor could not be measured."""
    bench = Bench(options())
    steps = {
        "w1": w1,
        "w2": w2.tables,
        "w2-captures": w2.captures,
        "w2-wide": w2.wide,
        "w3": w3,
        "w4": w4.tables,
        "w5": w5.attributions,
        "endpoint": endpoints,
        "weight": weight,
        "import": imports,
    }
    for group in GROUPS:
        if group in bench.options.only:
            steps[group](bench)
    sys.stdout.write(report(bench))
    if bench.options.json is not None:
        bench.options.json.write_text(json.dumps(document(bench), indent=1, ensure_ascii=False) + "\n")
    needed = ("driftline", "floor")
    broken = [s.name for subjects in bench.found.values() for s in subjects if s.failed and s.name.startswith(needed)]
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
