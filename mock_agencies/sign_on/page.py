"""
The sign-in page: a choice of staff.  Plain HTML, no script.
"""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from mock_agencies.sign_on.authorizations import AuthorizationRequest
from mock_agencies.sign_on.directory import STAFF, Staff
from mock_agencies.sign_on.errors import OAuthError

_FRAME = """<!doctype html>
<html lang="zh">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>统一登录（演示） Sign in (demo)</title>
<style>
body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }}
button {{ display: block; width: 100%; margin: .5rem 0; padding: .75rem 1rem; font: inherit; text-align: start }}
small {{ display: block; color: #555 }}
</style>
<h1>统一登录（演示）<br>Sign in (demo)</h1>
{body}
</html>
"""


def sign_in_page(request: AuthorizationRequest, form: Mapping[str, str]) -> HTMLResponse:
    """The page on which a synthetic member of staff is chosen; the request travels along in hidden fields."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in form.items()
        if name != "user"
    )
    choices = "".join(_choice(person) for person in STAFF.values())
    body = (
        f"<p>{escape(request.client.name)}（{escape(request.client.id)}）请求您登录。以下人员均为虚构。<br>"
        f"{escape(request.client.id)} asks you to sign in. These people are invented.</p>"
        f'<form method="post" action="/authorize">{hidden}{choices}</form>'
    )
    back = urlsplit(request.return_to)
    # Browsers apply form-action to the redirect after the form as well.
    return _page(body, form_action=f"'self' {back.scheme}://{back.netloc}")


def refusal_page(error: OAuthError) -> HTMLResponse:
    """The reason of a refusal, where no return address is safe."""
    body = f"<p>无法登录：{escape(error.description)}</p><p>Could not sign in: {escape(error.error)}</p>"
    return _page(body, form_action="'none'", status=error.status)


def _choice(person: Staff) -> str:
    roles = ", ".join(person.roles)
    return (
        f'<button name="user" value="{escape(person.user)}">{escape(person.name)} {escape(person.user)}'
        f"<small>{escape(person.court)} {escape(person.unit)} · {escape(roles)}</small></button>"
    )


def _page(body: str, *, form_action: str, status: int = 200) -> HTMLResponse:
    policy = f"default-src 'none'; style-src 'unsafe-inline'; form-action {form_action}; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(_FRAME.format(body=body), status, headers=headers)
