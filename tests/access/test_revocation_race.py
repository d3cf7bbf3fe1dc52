"""
Closing against lookup, again and again: nothing is released once the closing call has returned.
"""

import asyncio
import json
import os
import random
import socket
import sys
from collections import Counter
from urllib.parse import urlsplit

import httpx
import pytest

from tests.access.replicas import TICKETS, Replicas, rule_of, statement

# The full form is `make prove PART=access`.
RACES = int(os.environ.get("SHUNIU_TEST_RACES", "250"))
AT_ONCE = 6


@pytest.mark.anyio
async def test_no_answer_is_released_after_the_closing_call_has_returned(replicas: Replicas) -> None:
    """
    Each race asks at one hub and closes at the other.  When the closing has returned, either the answer lies in the
    caller's socket already, or it never comes; and whoever asks then is refused.
    """
    random.seed(20_260_302)
    lanes = asyncio.Semaphore(AT_ONCE)
    async with replicas.client() as client:

        async def race(number: int) -> str:
            async with lanes:
                return await _race(replicas, client, number)

        outcomes = Counter(await asyncio.gather(*(race(number) for number in range(RACES))))

    sys.stdout.write(f"\n{RACES} races: {dict(outcomes)}\n")
    assert outcomes.total() == RACES
    assert outcomes.keys() <= {"released before", "refused at the door", "withheld"}
    assert outcomes["released before"] > 0
    assert outcomes["withheld"] > 0


async def _race(replicas: Replicas, client: httpx.AsyncClient, number: int) -> str:
    order, party = f"RACE-{number}", replicas.cast["stayed"]
    closing, asking = number % 2, (number + 1) % 2
    path, open_order = f"/v1/work-orders/{order}", statement("li.ting", [party])
    stated = await replicas.call(client, closing, TICKETS, "PUT", path, open_order)
    assert stated.status_code == 200, stated.text
    connection = await _ask(replicas, asking, order)
    await asyncio.sleep(random.uniform(0, 0.03))
    closed = open_order | {"version": 2, "status": "closed"}
    answer = await replicas.call(client, closing, TICKETS, "PUT", path, closed)
    assert answer.status_code == 200, answer.text
    there_already = _lies_there(connection)

    late = await replicas.call(client, asking, "li.ting", "POST", "/v1/lookups", replicas.question(order, party))
    assert rule_of(late) == "work_order_not_open"
    status, rule = await _read(connection)
    if status == 200:
        assert there_already, "an answer left after the closing call had returned"
        return "released before"
    assert (status, rule) == (403, "work_order_not_open")
    return "refused at the door" if there_already else "withheld"


async def _ask(replicas: Replicas, hub: int, order: str) -> socket.socket:
    address = urlsplit(replicas.addresses[hub])
    body = json.dumps(replicas.question(order, replicas.cast["stayed"])).encode()
    lines = [
        "POST /v1/lookups HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: {replicas.headers('li.ting')['Authorization']}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    connection = socket.socket()
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, (address.hostname, address.port))
    await loop.sock_sendall(connection, "\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    return connection


def _lies_there(connection: socket.socket) -> bool:
    """Whether the first bytes of an answer have arrived."""
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


async def _read(connection: socket.socket) -> tuple[int, str]:
    loop = asyncio.get_running_loop()
    received = b""
    with connection:
        while part := await loop.sock_recv(connection, 65_536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body).get("rule", "")
