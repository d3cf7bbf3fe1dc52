"""
Calls of the command line to a running hub, over the HTTP API that every client uses.
"""

import os
import sys
from typing import Any, NoReturn

import httpx
import typer

from gateway.cli.console import Exit, fail, say
from schemas.codes import IdType, Want

CODES = {401: Exit.NOT_PERMITTED, 403: Exit.NOT_PERMITTED, 404: Exit.NOT_FOUND, 422: Exit.USAGE}


def secret_input(label: str) -> str:
    """
    Something that must not stand in a process list: one line from stdin, or a prompt that does not echo.
    """
    if sys.stdin.isatty():
        text: str = typer.prompt(label, hide_input=True, err=True)
        return text.strip()
    return sys.stdin.readline().strip()


def read_question(work_order: str, id_type: IdType, want: list[Want] | None) -> dict[str, Any]:
    """The body of a lookup; the identifier is read with `secret_input`.  Without `want` everything is asked for."""
    return {
        "work_order": work_order,
        "subject": {
            "kind": id_type.subject_kind.value,
            "id_type": id_type.value,
            "id_number": secret_input("Identifier"),
        },
        "want": [item.value for item in want or list(Want)],
    }


def token() -> str:
    """The caller's access token, from SHUNIU_TOKEN."""
    value = os.environ.get("SHUNIU_TOKEN", "")
    if not value:
        fail(
            "No access token. Set SHUNIU_TOKEN to a token of the court's sign-on server "
            "(with the demo running: export SHUNIU_TOKEN=$(shuniu token li.ting)).",
            Exit.NOT_PERMITTED,
        )
    return value


def call(hub: str, method: str, path: str, body: Any = None) -> Any:
    """
    The JSON answer to one call as the caller of SHUNIU_TOKEN; a problem ends the command with its sentence.
    """
    return request(hub, method, path, body, {"Authorization": f"Bearer {token()}"})


def request(hub: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """The JSON answer to one call; a problem, or no answer of a hub, ends the command with a sentence."""
    try:
        response = httpx.request(method, hub + path, json=body, headers=headers, timeout=35, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        response = None
    if response is None:
        fail(
            f"No hub answers at {hub}. Start one (shuniu serve --demo), or name another with --hub or SHUNIU_HUB, "
            "such as http://127.0.0.1:8080."
        )
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if answer is None or not (response.is_success or "detail" in answer):
        fail(f"{hub} is not a hub, or cannot reach it (HTTP status {response.status_code}). See --hub and SHUNIU_HUB.")
    if not response.is_success:
        _fail_with_problem(response.status_code, answer)
    return answer


def _fail_with_problem(status: int, problem: Any) -> NoReturn:
    code = CODES.get(status, Exit.FAILED)
    for error in problem.get("errors", ()):
        say.print(f"{error['field']}: {error['detail']} ({error['rule']})", markup=False)
    fail(f"{problem['detail']} [{problem.get('rule') or problem['type']}]", code)
