"""
What a receiver may do on the wire, and what it gets by that.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.callbacks import transport
from gateway.callbacks.dispatcher import Dispatcher
from gateway.callbacks.states import Failure
from tests.callbacks.fakes import CallbackService
from tests.callbacks.receiver import Receiver, receiving
from tests.sign_on.certificates import Authority

pytestmark = pytest.mark.anyio


def trusting(callbacks: CallbackService, authority: Authority) -> Dispatcher:
    """A sender that trusts this authority."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    parts = callbacks.callbacks
    sender = Dispatcher(
        callbacks.database, parts.outbox._encryption, parts.receivers, at_once=4, clock=callbacks.clock, tls=context
    )
    sender.serve("cn.shuniu.autofill.", callbacks.forms)
    return sender


@contextmanager
def served(authority: Authority) -> Iterator[Receiver]:
    """A receiver over HTTPS whose certificate is for 127.0.0.1."""
    paper = authority.issue("tickets")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paper.certificate, paper.key)
    with receiving(context) as one:
        yield one


async def test_https_is_checked_against_the_name_that_was_registered(callbacks: CallbackService, folder: Path) -> None:
    """A certificate of a trusted authority for another name, and one that nobody trusts: no delivery."""
    authority, stranger = Authority(folder, "authority"), Authority(folder, "stranger")
    with served(authority) as tickets:
        await callbacks.register("right", tickets.url)
        await callbacks.register("wrong", tickets.url.replace("127.0.0.1", "localhost"))
        await callbacks.enter("right", receiver="right")
        await callbacks.enter("wrong", receiver="wrong")
        sender = trusting(callbacks, authority)
        await sender.once()
        await sender.settled()
        await callbacks.enter("untrusted", receiver="right")
        sender = trusting(callbacks, stranger)
        await sender.once()
        await sender.settled()

    assert [call.id for call in tickets.calls] == ["autofill-right"]
    assert await callbacks.states() == {
        "right": ("delivered", None),
        "wrong": ("waiting", Failure.TLS_FAILED.value),
        "untrusted": ("waiting", Failure.TLS_FAILED.value),
    }


async def test_nobody_there_is_unreachable(callbacks: CallbackService) -> None:
    """And tried again."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    await callbacks.register("forms", f"http://127.0.0.1:{port}/hooks")
    await callbacks.enter("a-1")

    await callbacks.sent()

    assert await callbacks.states() == {"a-1": ("waiting", Failure.UNREACHABLE.value)}


@contextmanager
def raw(answer: bytes) -> Iterator[str]:
    """A receiver that says these bytes to whoever connects, reads a little, and holds the connection until the end."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                if answer:
                    connection.recv(65536)
                    connection.sendall(answer)
                over.wait()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/hooks"
        finally:
            over.set()
            thread.join()


async def test_who_never_answers_is_given_up_in_time(
    callbacks: CallbackService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right is given back long before that: nobody waits for a slow receiver to close a work order."""
    monkeypatch.setattr(transport, "ANSWER", 0.3)
    monkeypatch.setattr(transport, "HELD", 0.05)
    with raw(b"") as url:
        await callbacks.register("forms", url)
        await callbacks.enter("a-1")
        await callbacks.sent()

    assert await callbacks.states() == {"a-1": ("waiting", Failure.TIMED_OUT.value)}
    assert [right.valid for right in callbacks.forms.rights] == [False]


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"SSH-2.0-other\r\n\r\n", Failure.BROKEN_OFF),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, Failure.BROKEN_OFF),
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", Failure.FAILED),
    ],
)
async def test_an_answer_that_is_none_has_delivered_nothing(
    callbacks: CallbackService, answer: bytes, failure: Failure
) -> None:
    """Another protocol, a head without end, a status that nobody knows."""
    with raw(answer) as url:
        await callbacks.register("forms", url)
        await callbacks.enter("a-1")
        await callbacks.sent()

    assert await callbacks.states() == {"a-1": ("waiting", failure.value)}


async def test_what_the_receiver_says_besides_its_status_is_not_read(callbacks: CallbackService) -> None:
    """A body that never ends does not hold the hub up."""
    with raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n" + b"x" * 100_000) as url:
        await callbacks.register("forms", url)
        await callbacks.enter("a-1")
        await callbacks.sent()

    assert await callbacks.states() == {"a-1": ("delivered", None)}


async def test_a_body_whose_right_is_lost_on_the_way_is_broken_off(callbacks: CallbackService) -> None:
    """The receiver does not read, the lease ends: the connection is dropped with most of the body unsent."""
    with raw(b"") as url:
        await callbacks.register("forms", url)
        await callbacks.enter("a-1", fields="x" * 30_000_000)
        await callbacks.callbacks.sender.once()
        while not callbacks.forms.rights:
            await callbacks.database.check()
        callbacks.forms.rights[0].valid = False
        await callbacks.callbacks.sender.settled()

    assert await callbacks.states() == {"a-1": ("waiting", Failure.LEASE_LOST.value)}
