"""Composite rules: read safely, evaluated honestly, followed in one transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.alerting import composites, rules, watch
from driftline.alerting.metrics import MODEL_QUALITY, dimensions_of, publish
from driftline.core.errors import ConflictError, InputError
from driftline.resources.alarms import Alarm, AlarmState
from driftline.storage import alarms
from driftline.storage.database import Store

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
DIMENSIONS = dimensions_of("churn", "hourly")
states = st.sampled_from(get_args(AlarmState))
leaves = st.builds(rules.Leaf, states, st.sampled_from(["a", "b c", 'd"e', "f\\g", "h)i"]))
trees = st.recursive(
    leaves,
    lambda part: st.one_of(
        st.builds(rules.Not, part),
        st.builds(rules.All, st.lists(part, min_size=2, max_size=3).map(tuple)),
        st.builds(rules.AnyOf, st.lists(part, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def written(rule: rules.Rule) -> str:
    if isinstance(rule, rules.Leaf):
        name = rule.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{rule.state}("{name}")'
    if isinstance(rule, rules.Not):
        return f"NOT ({written(rule.part)})"
    word = " AND " if isinstance(rule, rules.All) else " OR "
    return word.join(f"({written(part)})" for part in rule.parts)


def in_python(rule: rules.Rule, now: dict[str, Any]) -> bool:
    if isinstance(rule, rules.Leaf):
        return bool(now[rule.name] == rule.state)
    if isinstance(rule, rules.Not):
        return not in_python(rule.part, now)
    return (all if isinstance(rule, rules.All) else any)([in_python(part, now) for part in rule.parts])


@given(rule=trees, values=st.lists(states, min_size=5, max_size=5))
def test_what_is_written_is_read_and_means_the_same(rule: rules.Rule, values: list[Any]) -> None:
    now = dict(zip(["a", "b c", 'd"e', "f\\g", "h)i"], values, strict=True))
    assert rules.parse(written(rule)) == rule
    found = rules.state_of(rule, now)
    assert (found == "ALARM") == in_python(rule, now)
    if "INSUFFICIENT_DATA" not in values:
        assert found != "INSUFFICIENT_DATA"


def test_not_binds_closer_than_and_and_closer_than_or() -> None:
    a, b, c = (rules.Leaf("ALARM", name) for name in "abc")
    assert rules.parse("NOT ALARM(a) AND ALARM(b) OR ALARM(c)") == rules.AnyOf((rules.All((rules.Not(a), b)), c))


@pytest.mark.parametrize(
    "text",
    [
        "", "ALARM", "ALARM()", "ALARM(a) ALARM(b)", "ALARM(a) AND", "(ALARM(a)", "ALARM(a))", "alarm(a)",
        "__import__('os')", "NOT", "ALARM(a) XOR OK(b)", "(" * 60 + "ALARM(a)" + ")" * 60, "NOT " * 60 + "OK(a)",
        "ALARM(" + "x" * 11_000 + ")", " OR ".join(f"OK(a{number})" for number in range(101)),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        rules.parse(text)


def put(store: Store, name: str, rule: str | None = None, metric: str = "f2") -> None:
    simple = Alarm(name, metric, MODEL_QUALITY, DIMENSIONS, "LessThanThreshold", 0.5)
    with store.write() as db:
        watch.put_alarm(db, simple if rule is None else Alarm(name, rule=rule), now=NOW, real=NOW)


def run(store: Store, hour: int, **metrics: float) -> list[tuple[str, str]]:
    time = NOW + timedelta(hours=hour)
    with store.write() as db:
        publish(db, endpoint="churn", schedule="hourly", time=time, metrics=metrics, run="r")
        made = watch.evaluate_series(db, MODEL_QUALITY, DIMENSIONS, now=time, real=NOW, run="r", link="http://d/r")
    assert all(transition.run == "r" for transition in made)
    return [(transition.alarm, transition.to_state) for transition in made]


def test_alarms_over_alarms_follow_transitively_and_once(store: Store) -> None:
    put(store, "z")
    put(store, "y", metric="auc")
    put(store, "both", "ALARM(z) AND ALARM(y)")
    put(store, "only", "ALARM(z) AND NOT ALARM(y)")
    put(store, "any", "ALARM(both) OR ALARM(only)")
    assert run(store, 0, f2=0.9, auc=0.9)[2:] == [("both", "OK"), ("only", "OK"), ("any", "OK")]
    # Both change in one run: "only" must not be told of a state in between.
    assert run(store, 1, f2=0.1, auc=0.1) == [("y", "ALARM"), ("z", "ALARM"), ("both", "ALARM"), ("any", "ALARM")]
    assert run(store, 2, f2=0.1, auc=0.9) == [("y", "OK"), ("both", "OK"), ("only", "ALARM")]
    with store.read() as db:
        assert "z is ALARM (f2 was 0.1" in alarms.get(db, "only").reason
        assert alarms.get(db, "any").state == "ALARM"


def test_a_change_that_is_rolled_back_moves_nothing(store: Store) -> None:
    put(store, "a")
    put(store, "over", "ALARM(a)")

    def fail() -> None:
        with store.write() as db:
            moved = watch.set_state(db, "a", "ALARM", "a drill", now=NOW, real=NOW)
            assert [transition.alarm for transition in moved] == ["a", "over"]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as db:
        assert alarms.get(db, "over").state == "INSUFFICIENT_DATA"


def test_unknown_names_and_circles_are_refused(store: Store) -> None:
    put(store, "a")
    put(store, "b", "ALARM(a)")
    put(store, "c", "ALARM(b) OR OK(a)")
    with pytest.raises(InputError, match="alarms there are not"):
        put(store, "d", "ALARM(nobody)")
    with pytest.raises(InputError, match="comes back to itself") as caught:
        put(store, "b", "ALARM(c)")
    assert "b -> c -> b" in str(caught.value)
    with pytest.raises(InputError, match="comes back to itself"):
        put(store, "e", "NOT OK(e)")
    with pytest.raises(ConflictError, match="part of other"), store.read() as db:
        composites.check_unused(db, "a")
