"""
Whatever happens to tasks and people, and in whatever order: never an answer without a live grant, never a refusal with
one.  Several callers at once, two hub processes, one PostgreSQL, against a model in plain Python.
"""

import itertools
import os
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import httpx
import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.access.model import KINDS, Delegation, Model, Order
from tests.access.replicas import TICKETS, Replicas, rule_of, statement

# The full form is `make prove PART=access`.
RUNS = int(os.environ.get("SHUNIU_TEST_RUNS", "12"))
STEPS = int(os.environ.get("SHUNIU_TEST_STEPS", "40"))

PARTIES = ("stayed", "moved", "renamed")
HOLDERS = ("li.ting", "wang.qiang", "sun.li")
CALLERS = (*HOLDERS, "qian.wei", "zhao.min", "chen.jing", "zhou.yan")
CONFIRMERS = ("sun.li", "zhou.yan")
WANTS = ("identity", "addresses", "registrations")

some_parties = st.lists(st.sampled_from(PARTIES), min_size=1, max_size=2, unique=True)
some_wants = st.lists(st.sampled_from(WANTS), min_size=1, max_size=2, unique=True)


class Question(NamedTuple):
    """One lookup of a burst."""

    user: str
    place: int
    party: str
    wants: tuple[str, ...]


questions = st.builds(
    Question,
    user=st.sampled_from(CALLERS),
    place=st.integers(0, 9),
    party=st.sampled_from(PARTIES),
    wants=some_wants.map(tuple),
)


class Court(RuleBasedStateMachine):
    """A court in which everything changes while people ask."""

    replicas: Replicas
    numbers: Iterator[int]
    counts: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.emergencies: dict[str, tuple[str, datetime]] = {}
        self.client = httpx.Client(timeout=30, trust_env=False)
        self.pool = ThreadPoolExecutor(8)
        self.hubs = itertools.cycle(range(len(self.replicas.addresses)))

    def teardown(self) -> None:
        # The next run finds the court as this one did.
        self.reviewed_by_then()
        for name in self.model.delegations:
            self.call("sun.li", "DELETE", f"/v1/delegations/{name}")
        self.pool.shutdown()
        self.client.close()

    @initialize()
    def a_fresh_hour(self) -> None:
        # What was counted against people in the run before is forgotten.
        self.replicas.advance("2 hours")

    @rule(kind=st.sampled_from([name for name in KINDS if name != "emergency"]), holder=st.sampled_from(HOLDERS),
          parties=some_parties, want=st.none() | some_wants)  # fmt: skip
    def dispatch(self, kind: str, holder: str, parties: list[str], want: list[str] | None) -> None:
        self.count("dispatched")
        name = f"S-{next(self.numbers)}"
        order = self.model.orders[name] = Order(kind, holder, want=None if want is None else frozenset(want))
        self.state(name, order, status="dispatched", holder=holder, parties=parties)
        self.holders_ask(name)

    @precondition(lambda self: self.model.orders)
    @rule(place=st.integers(0, 9), holder=st.sampled_from(HOLDERS))
    def transfer(self, place: int, holder: str) -> None:
        self.change("transferred", place, status="transferred", holder=holder)

    @precondition(lambda self: self.model.orders)
    @rule(place=st.integers(0, 9), status=st.sampled_from(["suspended", "closed", "reopened", "reopened"]))
    def change_the_status(self, place: int, status: str) -> None:
        self.change(status, place, status=status)

    @precondition(lambda self: self.model.orders)
    @rule(place=st.integers(0, 9), parties=some_parties)
    def name_other_parties(self, place: int, parties: list[str]) -> None:
        self.change("renamed", place, parties=parties)

    @rule(hours=st.sampled_from([1, 2, 5, 30, 24 * 6]))
    def time_passes(self, hours: int) -> None:
        self.count("time passed")
        self.replicas.advance(f"{hours} hours")

    @rule(absent=st.sampled_from(HOLDERS), deputy=st.sampled_from(HOLDERS), days=st.sampled_from([1, 4, 20]))
    def stand_in(self, absent: str, deputy: str, days: int) -> None:
        now = self.now()
        body = {
            "absent": absent,
            "deputy": deputy,
            "starts_at": now.isoformat(),
            "ends_at": (now + timedelta(days=days)).isoformat(),
        }
        answer = self.call("sun.li", "POST", "/v1/delegations", body)
        if answer.status_code == 201:
            self.count("standing in")
            delegation = Delegation(absent, deputy, now, now + timedelta(days=days))
            self.model.delegations[answer.json()["id"]] = delegation
        else:
            assert answer.status_code == 403, answer.text

    @rule(place=st.integers(0, 9))
    def end_standing_in(self, place: int) -> None:
        if not self.model.delegations:
            return
        self.count("standing in ended")
        name = list(self.model.delegations)[place % len(self.model.delegations)]
        answer = self.call("sun.li", "DELETE", f"/v1/delegations/{name}")
        assert answer.status_code in {204, 404}, answer.text
        self.model.delegations[name].ended = True

    @precondition(lambda self: any(KINDS[order.kind][2] for order in self.model.orders.values()))
    @rule(place=st.integers(0, 9), confirmer=st.sampled_from(CONFIRMERS))
    def confirm(self, place: int, confirmer: str) -> None:
        names = [name for name, order in self.model.orders.items() if KINDS[order.kind][2]]
        name = names[place % len(names)]
        order = self.model.orders[name]
        path = f"/v1/work-orders/{name}/confirmations"
        answer = self.call(confirmer, "POST", path, {"version": order.version})
        if confirmer == order.holder:
            assert rule_of(answer) == "confirmation_own"
        else:
            assert answer.status_code == 200, answer.text
            self.count("confirmed")
            order.confirmed.setdefault(order.version, confirmer)
            self.holders_ask(name)

    @rule(holder=st.sampled_from(["li.ting", "wang.qiang"]), party=st.sampled_from(PARTIES), want=some_wants)
    def break_the_glass(self, holder: str, party: str, want: list[str]) -> None:
        now, order = self.now(), statement(holder, [self.replicas.cast[party]])
        body = {
            "case_number": order["case_number"],
            "party": order["parties"][0],
            "want": want,
            "reason": "deadline",
            "note": "synthetic",
        }
        answer = self.call(holder, "POST", "/v1/emergencies", body)
        overdue = any(of == holder and due <= now for of, due in self.emergencies.values())
        if overdue:
            assert rule_of(answer) == "review_overdue"
            self.reviewed_by_then()
            return
        assert answer.status_code == 201, answer.text
        self.count("glass broken")
        name = answer.json()["work_order"]
        self.emergencies[name] = holder, now + timedelta(days=3)
        order = self.model.orders[name] = Order("emergency", holder, want=frozenset(want))
        order.state(now, status="dispatched", holder=holder, parties=[party])

    @precondition(lambda self: self.model.orders)
    @rule(questions=st.lists(questions, min_size=1, max_size=6))
    def people_ask_at_once(self, questions: list[Question]) -> None:
        self.ask(questions)

    @precondition(lambda self: self.model.orders)
    @rule(picks=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1), st.integers(0, 5)), min_size=1, max_size=6))
    def holders_and_their_deputies_ask_at_once(self, picks: list[tuple[int, int, int]]) -> None:
        self.ask([self.sensible(*pick) for pick in picks])

    @precondition(lambda self: self.model.orders)
    @rule(questions=st.lists(questions, min_size=1, max_size=4), place=st.integers(0, 9),
          status=st.sampled_from(["closed", "suspended", "transferred"]), holder=st.sampled_from(HOLDERS))  # fmt: skip
    def people_ask_while_a_task_changes(self, questions: list[Question], place: int, status: str, holder: str) -> None:
        """What overlaps the change is judged by either side of it; what is asked afterwards, by the new side alone."""
        name = self.name(place)
        if name.startswith("BG-"):
            return
        self.count("asked while a task changed")
        questions = [*questions, self.sensible(place, 0, 0), self.sensible(place, 0, 1)]
        now = self.now()
        before = [self.expected(now, question) for question in questions]
        asking = [self.pool.submit(self.look_up, question) for question in questions]
        order = self.model.orders[name]
        self.state(name, order, status=status, holder=holder if status == "transferred" else order.holder)
        for rule_before, question, answer in zip(before, questions, [each.result() for each in asking], strict=True):
            # In between, the new version stands in the database and not yet in the log; and of several that ask for
            # the last question, only some have it.
            rules = {rule_before, self.expected(now, question), "work_order_not_recorded"}
            self.check_answer(now, question, answer, rules | ({"questions_used_up"} if rule_before == "" else set()))
        self.count_again({self.name(question.place) for question in questions}, most=len(questions))
        self.ask([question._replace(place=place) for question in questions])

    def sensible(self, place: int, party: int, who: int) -> Question:
        """A question that a work order was made for, by its holder or by somebody who may stand in."""
        order = self.model.orders[self.name(place)]
        named = list(order.grants)
        lookups = sorted(KINDS[order.kind][3] if order.want is None else KINDS[order.kind][3] & order.want)
        user = order.holder if who < 4 else HOLDERS[who % len(HOLDERS)]
        return Question(user, place, named[party % len(named)], tuple(lookups[:1] or ["identity"]))

    def ask(self, questions: list[Question]) -> None:
        now = self.now()
        expected = Counter[tuple[str, str, str]]()
        answers = list(self.pool.map(self.look_up, questions))
        for question, answer in zip(questions, answers, strict=True):
            if answer.status_code == 503:
                self.count("no answer in time")
                continue
            rule_before = self.expected(now, question)
            # Of several that ask for the last question at once, it is open which one has it; how many is not.
            last = rule_before in {"", "questions_used_up"} and rule_of(answer) in {"", "questions_used_up"}
            if last:
                key = question.user, self.name(question.place), question.party
                expected[key] += 1 if rule_before == "" else 0
                expected[key] -= 1 if rule_of(answer) == "" else 0
                if rule_before == "":
                    self.model.count_question(self.name(question.place), question.party)
                self.count("answered" if rule_of(answer) == "" else "refused: questions_used_up")
            else:
                self.check_answer(now, question, answer, {rule_before})
        if any(answer.status_code == 503 for answer in answers):
            # Neither answer nor refusal: a database too slow for its bounds.  What was counted is counted.
            self.count_again({self.name(question.place) for question in questions}, most=len(questions))
            return
        sums = Counter[tuple[str, str]]()
        for (_, name, party), left in expected.items():
            sums[name, party] += left
        assert not any(sums.values()), "more or fewer questions were answered than the grants had left"

    def count_again(self, names: set[str], *, most: int) -> None:
        """What was counted at the door and withheld later is counted all the same: the database knows how often."""
        with psycopg.connect(self.replicas.owner) as connection:
            for name in names:
                rows = connection.execute(
                    "SELECT position, asked FROM access_grant WHERE work_order = %s ORDER BY position", (name,)
                ).fetchall()
                grants = list(self.model.orders[name].grants.values())
                assert len(rows) == len(grants)
                for position, count in rows:
                    assert grants[position].asked <= count <= grants[position].asked + most
                    grants[position].asked = count

    def check_answer(self, now: datetime, question: Question, answer: httpx.Response, rules: set[str]) -> None:
        if answer.status_code == 503:
            self.count("no answer in time")
            return
        rule = rule_of(answer)
        assert rule in rules, (rule, rules, question)
        self.count(f"refused: {rule}" if rule else "answered")
        if rule:
            self.model.refused(now, question.user, rule)
        else:
            name = self.name(question.place)
            if question.party in self.model.orders[name].grants:
                self.model.count_question(name, question.party)

    def expected(self, now: datetime, question: Question) -> str:
        return self.model.rule(now, question.user, self.name(question.place), question.party, set(question.wants))

    def look_up(self, question: Question) -> httpx.Response:
        party = self.replicas.cast[question.party]
        body = self.replicas.question(self.name(question.place), party, list(question.wants))
        answer = self.call(question.user, "POST", "/v1/lookups", body)
        assert answer.status_code in {200, 403, 503}, answer.text
        if answer.status_code == 200:
            assert {"identity", "addresses", "registrations"} - set(question.wants) <= {
                name for name in WANTS if name not in answer.json()
            }
        return answer

    def change(self, what: str, place: int, **changes: Any) -> None:
        name = self.name(place)
        if name.startswith("BG-"):
            return
        self.count(what)
        order = self.model.orders[name]
        self.state(name, order, **{"status": order.status, "holder": order.holder} | changes)
        self.holders_ask(name)

    def holders_ask(self, name: str) -> None:
        """What has just changed is asked about by everybody who might hold it, at both hubs."""
        place = list(reversed(self.model.orders)).index(name)
        self.ask([self.sensible(place, party, who) for party, who in ((0, 0), (1, 3), (0, 4), (1, 5))])

    def state(self, name: str, order: Order, **changes: Any) -> None:
        parties = changes.pop("parties", list(order.grants))
        now = self.now()
        order.state(now, parties=parties, **changes)
        body = statement(changes["holder"], [self.replicas.cast[party] for party in parties], kind=order.kind)
        body |= {"version": order.version, "status": order.status}
        if order.want is not None:
            body["want"] = sorted(order.want)
        # A statement that could not be taken in time is repeated, as every ticket system does.
        for _ in range(5):
            answer = self.call(TICKETS, "PUT", f"/v1/work-orders/{name}", body)
            if answer.status_code != 503:
                break
            self.count(f"not stated in time: {answer.json()['type'].rpartition('/')[2]}")
        assert answer.status_code == 200, answer.text

    def reviewed_by_then(self) -> None:
        for name in self.emergencies:
            answer = self.call(
                "chen.jing", "POST", f"/v1/reviews/{name}", {"finding": "justified", "note": "synthetic"}
            )
            assert answer.status_code == 200, answer.text
        self.emergencies.clear()

    def call(self, who: str, method: str, path: str, body: Any = None) -> httpx.Response:
        address = self.replicas.addresses[next(self.hubs)]
        return self.client.request(method, address + path, json=body, headers=self.replicas.headers(who))

    def name(self, place: int) -> str:
        # The newest first: what was dispatched long ago has mostly ended.
        names = list(reversed(self.model.orders))
        return names[place % len(names)]

    def now(self) -> datetime:
        with psycopg.connect(self.replicas.owner) as connection:
            row = connection.execute("SELECT access_now()").fetchone()
        assert row is not None
        now: datetime = row[0]
        return now

    def count(self, what: str) -> None:
        self.counts[what] += 1


def test_never_an_answer_without_a_live_grant_and_never_a_refusal_with_one(replicas: Replicas) -> None:
    counts = Counter[str]()
    shared = {"replicas": replicas, "numbers": itertools.count(1), "counts": counts}
    machine = type("Court", (Court,), shared)

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )

    sys.stdout.write(f"\n{counts.total()} steps: {dict(counts)}\n")
    assert counts["answered"] > 0
    assert any(name.startswith("refused") for name in counts)
