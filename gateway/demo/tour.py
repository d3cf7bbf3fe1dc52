"""
The tour of `shuniu demo`: a ticket system dispatches a work order, a clerk looks up its parties, and the log tells.

Everything goes over HTTP, as a court's own systems would do it; the hub of the tour is a process thread of its own,
its agencies and its sign-on server are processes.
"""

import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.panel import Panel

from gateway.application import HubServer
from gateway.cli import render
from gateway.cli.console import say, show
from gateway.cli.folding_table import FoldingTable
from gateway.demo import tree, world
from gateway.provisioning import CLUSTER, bundled_database, create_keys
from gateway.server import bind
from gateway.settings import Settings

WORK_ORDER = "W-2026-01877"
CASE = "（2026）浙0802民初1877号"
CLERK, AUDITOR, TICKETS = "li.ting", "chen.jing", "ticket-system"
WANT = ["identity", "addresses", "registrations"]
DEADLINE = 3.0


@dataclass(slots=True)
class Story:
    """What happened on the tour, for people and for `--json`."""

    person: dict[str, Any] = field(default_factory=dict)
    organization: dict[str, Any] = field(default_factory=dict)
    partial: dict[str, Any] = field(default_factory=dict)
    refusal: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    log_bytes: int = 0
    identifiers_in_logs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Court:
    """A running court of the demo: its hub's address and the world around it."""

    address: str
    outside: world.World
    settings: Settings

    def call(self, token: str, method: str, path: str, body: Any = None) -> httpx.Response:
        """One call to the hub."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, self.address + path, json=body, headers=headers, timeout=30, trust_env=False)


@contextmanager
def court(folder: Path, **changes: Any) -> Iterator[Court]:
    """A whole court in an empty folder: agencies, sign-on, database, hub; `changes` as `world.settings_of` has them."""
    with ExitStack() as stack:
        outside = stack.enter_context(world.started())
        settings = world.settings_of(outside, folder, **changes)
        create_keys(settings)
        settings = stack.enter_context(bundled_database(settings, create=True))
        tree.settle(settings)
        listener = stack.enter_context(bind(settings.host, 0))
        server = HubServer(settings)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="hub")
        thread.start()
        try:
            yield Court(
                address=f"http://{settings.host}:{listener.getsockname()[1]}", outside=outside, settings=settings
            )
        finally:
            server.should_exit = True
            thread.join()


def run() -> Story:
    """The whole tour; prints as it goes and returns what happened."""
    with tempfile.TemporaryDirectory(prefix="shuniu-demo-") as temporary:
        folder = Path(temporary)
        log_file = folder / "hub.log"
        handler = logging.FileHandler(log_file)
        logging.getLogger().addHandler(handler)
        say.print("Starting three agencies, a sign-on server, PostgreSQL and the hub …")
        try:
            with court(folder / "court", deadline=DEADLINE) as running:
                story = _walk(running)
                _search_logs(story, [log_file, running.settings.folder / CLUSTER / "log"])
        finally:
            logging.getLogger().removeHandler(handler)
            handler.close()
    return story


def _walk(running: Court) -> Story:
    story = Story()
    people = world.cast()
    person, company, stranger = people["moved"], people["company_abnormal"], people["renamed"]
    tickets = running.outside.token(client=TICKETS)
    clerk = running.outside.token(user=CLERK)

    _title("1. The ticket system dispatches a work order to the clerk 李婷")
    stated = running.call(tickets, "PUT", f"/v1/work-orders/{WORK_ORDER}", work_order(person, company))
    stated.raise_for_status()
    say.print(f"work order {WORK_ORDER}, case {CASE}: {stated.json()['status']}, audit record {stated.json()['audit']}")

    _title("2. The clerk looks up a person: four questions to three agencies, one answer")
    story.person = _looked_up(running, clerk, person)

    _title("3. The clerk looks up an organization")
    story.organization = _looked_up(running, clerk, company)

    _title("4. Human resources hangs: a partial answer in time, which says what is missing")
    running.outside.fault("human_resources", "hang")
    # A fresh answer is in the cache, and would be served again.
    story.partial = _looked_up(running, clerk, person, max_age=0)
    running.outside.heal("human_resources")

    _title("5. A person outside the work order: refused, and the refusal says by which rule")
    refused = running.call(clerk, "POST", "/v1/lookups", _question(stranger))
    story.refusal = refused.json()
    show.print(
        Panel(story.refusal["detail"], title=f"{refused.status_code} {story.refusal['rule']}", title_align="left")
    )

    _title("6. The audit log shows all of this to the compliance officer 陈静")
    events = running.call(running.outside.token(user=AUDITOR), "GET", "/v1/audit/events")
    events.raise_for_status()
    story.records = sorted(events.json()["events"], key=lambda event: int(event["index"]))
    show.print(_records(story.records))
    return story


def _looked_up(running: Court, token: str, party: dict[str, Any], **options: Any) -> dict[str, Any]:
    answer = running.call(token, "POST", "/v1/lookups", _question(party) | options)
    answer.raise_for_status()
    result: dict[str, Any] = answer.json()
    show.print(render.result(result))
    return result


def work_order(*parties: dict[str, Any]) -> dict[str, Any]:
    """A work order that the clerk of the demo holds."""
    return {
        "version": 1,
        "status": "dispatched",
        "kind": "service-of-process",
        "court": "浙0802",
        "case_number": CASE,
        "holder": {
            "user": CLERK,
            "name": "李婷",
            "id_number": "330802199003071239",
            "unit_code": "11330800DEM000196R",
            "unit_name": "示例市柯城区人民法院",
            "terminal": "10.0.0.17",
        },
        "parties": [{"role": "defendant", **subject(one), "name": one["name"]} for one in parties],
    }


def _question(party: dict[str, Any]) -> dict[str, Any]:
    return {"work_order": WORK_ORDER, "subject": subject(party), "want": WANT}


def subject(party: dict[str, Any]) -> dict[str, Any]:
    """How a caller names a party: kind, type of identifier, identifier."""
    return {name: party[name] for name in ("kind", "id_type", "id_number")}


def _records(records: list[dict[str, Any]]) -> FoldingTable:
    table = FoldingTable("index", "event", "outcome", "questions, answers")
    for record in records:
        event = record["event"]
        answers = [f"{answer['q']} {answer['is']} {answer.get('why', '')}" for answer in event.get("heard", ())]
        rules = event.get("why", {}).get("rules", ()) if event["outcome"] == "refused" else ()
        outcome = "\n".join((event["outcome"], *rules))
        table.add_row(str(record["index"]), event["type"], outcome, "\n".join(answers or event.get("ask", ())))
    return table


def _search_logs(story: Story, files: list[Path]) -> None:
    numbers = {one["id_number"] for one in world.cast().values()}
    texts = [file.read_text(errors="replace") for file in files if file.exists()]
    story.log_bytes = sum(len(text) for text in texts)
    story.identifiers_in_logs = sum(number in text for text in texts for number in numbers)
    say.print(f"\nSearched the logs ({story.log_bytes} bytes): {story.identifiers_in_logs} identifiers in them.")


def _title(text: str) -> None:
    show.print(f"\n[bold]{text}[/bold]")
