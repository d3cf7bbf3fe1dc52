"""
What operators are given fits what is served: every meter is documented, alerts and dashboard use no other.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from audit.anchor.anchors import AnchorKind, AnchorStatus
from gateway.anchors.service import AnchorReport
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.prometheus import render
from schemas.codes import AnswerState
from tests.telemetry.test_metrics import AUDIT, NOW, snapshot

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations"
MONITORING = (OPERATIONS / "monitoring.md").read_text(encoding="utf-8")
# What Prometheus itself knows of every target.
ITS_OWN = {"up"}


def served() -> str:
    """A scrape of a hub in which everything has happened once."""
    metrics = Metrics()
    metrics.requests.labels("POST", "/v1/lookups", 200).observe(0.1)
    metrics.refusals.labels("not-permitted", "work_order_not_held").inc()
    metrics.lookups.labels("whole").inc()
    metrics.attempted("public_security", "identity", "answered", 0.1)
    metrics.answered("public_security", "identity", AnswerState.FOUND, None, 0.1)
    status = AnchorStatus(kind=AnchorKind.TIMESTAMP, name="a", size=1, at=NOW, unparsed=None, uncovered_since=None)
    anchor = AnchorReport(status=status, age_s=1.0, late=False, failures=0, last_error=None)
    body, _ = render(metrics, snapshot(audit=replace(AUDIT, anchors=(anchor,))), "text/plain")
    return body.decode()


def meters(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Name to type and labels, as served; a histogram's own `le` aside."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels: dict[str, set[str]] = {name: set() for name in types}
    for name, shown in re.findall(r"^([a-z_]+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        owner = name if name in types else re.sub(r"_(bucket|count|sum)$", "", name)
        labels[owner] |= set(re.findall(r'([a-z_]+)="', shown)) - {"le"}
    return {name: (kind, frozenset(labels[name])) for name, kind in types.items()}


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    """The same, as monitoring.md says it."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| (.+?) \| .+ \|$", MONITORING, re.MULTILINE)
    return {name: (kind, frozenset(re.findall(r"`([a-z_]+)`", labels))) for name, kind, labels in rows}


def expressions(value: Any) -> Iterator[str]:
    """Every `expr` of a document, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "expr":
                yield inner
            else:
                yield from expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from expressions(inner)


def used(expression: str) -> set[str]:
    """The meters of an expression, without the suffixes of a histogram."""
    bare = re.sub(r'"[^"]*"', "", expression)
    names = re.findall(r"\b(?:shuniu|http_server|process)_[a-z_]+|\bup\b", bare)
    return {re.sub(r"(_seconds)_(bucket|count|sum)$", r"\1", name) for name in names}


def test_monitoring_lists_exactly_the_meters_that_are_served() -> None:
    """Name, type and labels."""
    assert documented() == meters(served())


def test_alerts_use_only_meters_that_exist() -> None:
    """An alert on a meter that is not there never fires."""
    rules = yaml.safe_load((OPERATIONS / "alerts.yml").read_text(encoding="utf-8"))
    names = set().union(*map(used, expressions(rules)))

    assert names <= set(documented()) | ITS_OWN
    assert names >= ITS_OWN


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    """Whoever is woken up knows the next step."""
    groups = yaml.safe_load((OPERATIONS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]

    assert {rule["labels"]["severity"] for rule in rules} == {"page", "ticket", "info"}
    assert [rule["alert"] for rule in rules if set(rule["annotations"]) != {"summary", "action"}] == []


def test_the_dashboard_shows_every_meter_that_there_is_to_see_and_no_other() -> None:
    """Whatever is measured can be looked at."""
    dashboard = json.loads((OPERATIONS / "dashboard.json").read_text(encoding="utf-8"))
    unseen = {"process_virtual_memory_bytes"}

    assert set().union(*map(used, expressions(dashboard))) == set(documented()) - unseen


def test_every_event_of_the_log_lines_is_documented() -> None:
    """Names of events are part of what operators build on."""
    sources = [file.read_text(encoding="utf-8") for file in (Path(__file__).parents[2] / "gateway").rglob("*.py")]
    events = {name for text in sources for name in re.findall(r'(?:\bevent|announce)\(\s*"([a-z_]+)"', text)}

    assert events == set(re.findall(r"^\| `([a-z_]+)` \| (?:info|warning)", MONITORING, re.MULTILINE))
