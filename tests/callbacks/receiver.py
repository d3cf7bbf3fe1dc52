"""
A receiver that a test scripts: a real HTTP server on this machine that keeps every call it got.
"""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str]]
Script = Callable[["Call"], Answer]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it arrived; header names in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Its webhook-id."""
        return self.headers["webhook-id"]


@dataclass(slots=True)
class Receiver:
    """A running receiver.  It answers with `answers`, one after the other, and then with 204."""

    port: int
    scheme: str = "http"
    calls: list[Call] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    before: Callable[[Call], object] = lambda _call: None

    @property
    def url(self) -> str:
        """Its address by number."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hooks"


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver on a free port, with `tls` over HTTPS."""

    class RunningCourt(BaseHTTPRequestHandler):
        """Takes calls."""

        def do_POST(self) -> None:
            """Keeps the call, then answers as scripted."""
            body = self.rfile.read(int(self.headers["content-length"]))
            call = Call(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            one.calls.append(call)
            one.before(call)
            status, headers = one.answers.pop(0) if one.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = _Quiet(("127.0.0.1", 0), RunningCourt)
    one = Receiver(server.server_address[1])
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        one.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A caller that breaks off is no news here."""
