"""
The hub keeps the contract that it publishes: no 5xx, no undocumented status, no answer outside its schema.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.court import RunningCourt, start_court

# Generated calls of each operation, besides the cases that its schema names.  In full: `make prove PART=contract`.
EXAMPLES = os.environ.get("SHUNIU_TEST_EXAMPLES", "2")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCourt]:
    """A court of its own: thousands of calls leave a log in which other tests would find nothing of theirs."""
    with start_court(tmp_path_factory.mktemp("contract")) as court:
        yield court


def test_the_published_contract_names_every_route(court: RunningCourt) -> None:
    """What the hub serves is what it documents, in OpenAPI 3.1."""
    document = court.call("GET", "/openapi.json", user="li.ting").json()

    assert document["openapi"].startswith("3.1")
    assert {"/healthz", "/readyz", "/v1/agencies", "/v1/lookups", "/v1/lookups/{lookup_id}"} <= set(document["paths"])
    assert {"/v1/work-orders/{work_order}", "/v1/audit/events", "/audit/checkpoint"} <= set(document["paths"])


@pytest.mark.parametrize("who", [{"user": "li.ting"}, {"user": "chen.jing"}, {"client": "ticket-system"}, {}])
def test_generated_calls_never_break_the_contract(court: RunningCourt, who: dict[str, str]) -> None:
    """schemathesis makes up valid and invalid calls as a clerk, an auditor, a ticket system and a stranger."""
    address = court.demo.address
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--no-color"]
    command += ["--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--seed", "1877"]
    command += ["--header", f"Authorization: Bearer {court.token(**who)}"] if who else []

    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks"}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=900)

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
