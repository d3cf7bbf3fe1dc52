"""
The command line's way to a running hub: its HTTP API, as everybody else uses it.
"""

import os
import sys
from typing import Any, NoReturn

import httpx
import typer

from gateway.cli.console import Exit, fail, say

CODES = {401: Exit.NOT_PERMITTED, 403: Exit.NOT_PERMITTED, 404: Exit.NOT_FOUND, 422: Exit.USAGE}


def secret_input(label: str) -> str:
    """
    Something that must not stand in a process list: one line from stdin, or a prompt that does not echo.
    """
    if sys.stdin.isatty():
        text: str = typer.prompt(label, hide_input=True, err=True)
        return text.strip()
    return sys.stdin.readline().strip()


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
    One call to the hub; its JSON answer, or the command ends with the problem's sentence.
    """
    headers = {"Authorization": f"Bearer {token()}"}
    try:
        answer = httpx.request(method, hub + path, json=body, headers=headers, timeout=35, trust_env=False)
    except httpx.HTTPError:
        answer = None
    if answer is None:
        fail(f"No hub answers at {hub}. Start one (shuniu serve --demo), or name another with --hub.")
    if not answer.is_success:
        _tell(answer)
    return answer.json()


def _tell(answer: httpx.Response) -> NoReturn:
    problem = answer.json()
    for error in problem.get("errors", ()):
        say.print(f"{error['field']}: {error['detail']} ({error['rule']})", markup=False)
    fail(f"{problem['detail']} [{problem.get('rule') or problem['type']}]", CODES.get(answer.status_code, Exit.FAILED))
