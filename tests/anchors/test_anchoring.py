"""
A log is anchored when it has grown; whoever does not answer well is a figure in health, and nothing else.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from audit.anchor.anchors import AnchorKind, Anchors
from audit.errors import LogBroken
from audit.export.exporter import export
from audit.format.checkpoint import Cosigner
from audit.verify.directory_source import DirectorySource
from audit.verify.verifier import VerificationVerdict, verify
from gateway.anchors.configuration import read_anchors
from gateway.anchors.http import AnchoringFailed, post
from gateway.anchors.service import Anchoring
from gateway.api.middleware import DrainState
from gateway.server import UvicornServer, bind, server_config
from tests.anchors.conftest import Authority
from tests.anchors.courts import Court, call, open_for_business, until

pytestmark = pytest.mark.anyio

Found = Callable[[str], Court]
WITNESS = Cosigner("faulty.example/witness", bytes([5] * 32))


@pytest.fixture
def court(found: Found, authority: Authority) -> Court:
    """A court whose log is stamped."""
    east = found("east")
    east.anchored_by(authority.table())
    return east


def exit_code(command: list[str], folder: Path) -> int:
    """Of a program in a folder."""
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


async def test_a_grown_log_is_stamped_and_openssl_confirms_it_from_the_export(
    court: Court, authority: Authority, folder: Path
) -> None:
    """The stored reply speaks of the exported bytes of the checkpoint, and of no others."""
    async with open_for_business(court):
        size = await court.record(3)
        (anchor,) = await court.turn()
        await court.hub.log.sign()
        export(court.hub.log.reader, folder / "out", court.signer.vkey)
    source = DirectorySource(folder / "out")
    report = verify(source, court.settings.origin, [court.signer.vkey], against=source.older())
    command = [
        "openssl",
        "ts",
        "-verify",
        "-CAfile",
        str(authority.roots),
        "-in",
        f"anchors/{size}.rfc3161.tsa",
        "-data",
    ]

    assert (anchor["kind"], anchor["name"], anchor["size"], anchor["late"]) == ("rfc3161", "tsa", size, False)
    assert report.verdict is VerificationVerdict.INTACT
    for data, code in ((f"checkpoints/{size}", 0), ("checkpoint", 1)):
        assert exit_code([*command, data], folder / "out") == code


async def test_each_new_anchor_is_a_record_and_an_idle_log_comes_to_rest(court: Court, authority: Authority) -> None:
    """Kind, name and size stand in the log; ten more turns of a quiet night ask nobody."""
    async with open_for_business(court):
        size = await court.record(3)
        for _ in range(10):
            await court.turn(minutes=6)
            await court.hub.log.sign()
        body = court.hub.log.reader.body(size)
        assert body is not None
        event = json.loads(body)

        assert (event["type"], event["detail"]) == ("log.anchored", {"kind": "rfc3161", "name": "tsa", "size": size})
        assert (await court.health())["size"] == size + 1
        assert await authority.asked() == 1


async def test_what_another_replica_had_anchored_meanwhile_counts(court: Court, authority: Authority) -> None:
    """Two hubs on one log, one turn each: one request."""
    async with open_for_business(court):
        await court.record(3)
        assert court.settings.anchors is not None
        replica = Anchoring(court.hub.log, read_anchors(court.settings.anchors), clock=court.clock)
        await court.turn()
        await replica.anchor_due()

        assert await authority.asked() == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("garbage", "could not take the timestamp: not a reply to this request"),
        ("html", "its answer is no timestamp (status 200)"),
        ("redirect", "its answer is no timestamp (status 307)"),
        ("error", "its answer is no timestamp (status 503)"),
        ("huge", "its answer is too long"),
        ("refuse", "could not take the timestamp: the authority refused the request"),
    ],
)
async def test_a_bad_answer_is_an_error_in_health_and_no_anchor(
    court: Court, authority: Authority, fault: str, error: str
) -> None:
    """Counted, told, tried again at the next turn, and forgotten once it goes well."""
    async with open_for_business(court):
        await court.record(3)
        await authority.fault(fault)
        await court.turn()
        (bad,) = await court.turn()
        await authority.fault(None)
        (good,) = await court.turn()

    assert (bad["size"], bad["failures"], bad["last_error"]) == (None, 2, error)
    assert (good["size"], good["failures"], good["last_error"]) == (3, 2, None)


async def test_an_unparsed_reply_is_kept_and_shown_and_never_counts_as_an_anchor(
    court: Court, authority: Authority
) -> None:
    """It is not asked for again at once, yet the alarm goes on."""
    async with open_for_business(court):
        await court.record(3)
        await authority.fault("chain")
        (anchor,) = await court.turn()
        (later,) = await court.turn(hours=5)

    assert (anchor["size"], anchor["unparsed"], anchor["late"]) == (None, 3, False)
    assert (later["size"], later["unparsed"], later["late"]) == (None, 3, True)


async def test_an_anchor_is_late_after_the_limit_and_in_time_again_when_it_comes(
    court: Court, authority: Authority
) -> None:
    """The clock moves on; readiness stays."""
    async with open_for_business(court):
        await court.record(3)
        await authority.fault("error")
        states = [(await court.turn(hours=hours))[0]["late"] for hours in (0, 3.9, 0.2)]
        await authority.fault(None)
        states.append((await court.turn())[0]["late"])

        assert states == [False, False, True, False]
        assert (await call("GET", f"{court.address}/readyz")).status_code == 200


async def test_the_days_checkpoint_is_delivered_once_a_day_with_its_page(found: Found, folder: Path) -> None:
    """The court's day, not that of Greenwich; recorded as an anchor; nothing new, nothing delivered."""
    east = found("east")
    (folder / "paper").mkdir()
    east.anchored_by(f'delivery_folder = "{folder / "paper"}"')
    # 23:30 in the court, 15:30 in Greenwich: an hour later it is the next day.
    now = datetime.now(UTC)
    east.clock.ahead = now.replace(hour=15, minute=30) - now
    async with open_for_business(east):
        size = await east.record(3)
        (anchor,) = await east.turn()
        first = sorted(path.name for path in (folder / "paper").iterdir())
        note = Anchors(east.hub.log.reader).retained(size)
        await east.record(1)
        await east.turn(minutes=20)
        second = sorted(path.name for path in (folder / "paper").iterdir())
        await east.turn(minutes=20)
        third = sorted(path.name for path in (folder / "paper").iterdir())
        await east.turn(days=1)

        assert (anchor["kind"], anchor["name"], anchor["size"]) == ("delivery", "paper", size)
        assert first == [f"{now.date()}.checkpoint", f"{now.date()}.html"]
        assert (folder / "paper" / first[0]).read_bytes() == note
        assert second == first
        assert len(third) == 4
        assert len(list((folder / "paper").iterdir())) == 4
        (folder / "paper").rename(folder / "gone")
        await east.record(1)
        assert (await east.turn(days=1))[0]["last_error"] == "could not write into the delivery folder"


@asynccontextmanager
async def faulty_witness(answer: Callable[[], Response] | None) -> AsyncIterator[str]:
    """A server that answers every submission so, or never."""

    async def answered(_request: Request) -> Response:
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        return answer()

    listener = bind("127.0.0.1", 0)
    server = UvicornServer(
        server_config(Starlette(routes=[Route("/add-checkpoint", answered, methods=["POST"])])), DrainState(), drain=5
    )
    server.config.timeout_graceful_shutdown = 1
    task = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task


def named(url: str) -> str:
    """The faulty witness in anchors.toml."""
    return f'[[witness]]\nname = "faulty"\nurl = "{url}"\nvkey = "{WITNESS.vkey.encode()}"\n'


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda: PlainTextResponse("hello"), "its answer is no cosignature of this checkpoint (status 200)"),
        (lambda: RedirectResponse("/elsewhere"), "its answer is no cosignature of this checkpoint (status 307)"),
        (lambda: PlainTextResponse("no", 500), "its answer is no cosignature of this checkpoint (status 500)"),
        (
            lambda: PlainTextResponse(WITNESS.cosign("other/log\n3\n", 1).line()),
            "its answer is no cosignature of this checkpoint (status 200)",
        ),
        (
            lambda: Response(b"1\n", 409, headers={"content-type": "text/x.tlog.size"}),
            "it names one size and then another",
        ),
        (
            lambda: Response(b"4\n", 409, headers={"content-type": "text/x.tlog.size"}),
            "it has seen 4 entries of this log, which now has 3",
        ),
    ],
)
async def test_a_witness_that_answers_anything_else_leaves_no_anchor(
    found: Found, answer: Callable[[], Response], error: str
) -> None:
    """Whatever it says, only its cosignature of our checkpoint is kept."""
    east = found("east")
    async with faulty_witness(answer) as url:
        east.anchored_by(named(url))
        async with open_for_business(east):
            await east.record(3)
            (anchor,) = await east.turn()

            assert (anchor["size"], anchor["last_error"]) == (None, error)
            assert Anchors(east.hub.log.reader).newest(AnchorKind.COSIGNATURE, "faulty") is None


async def test_whoever_hangs_or_is_not_there_is_given_up_in_time(court: Court, authority: Authority) -> None:
    """The bound is on the whole answer."""
    assert court.settings.anchors is not None
    tls = read_anchors(court.settings.anchors).timestampers[0].tls
    await authority.fault("hang")
    with pytest.raises(AnchoringFailed, match="no answer in time"):
        await post(authority.address, b"", content_type="text/plain", tls=tls, seconds=0.2)
    with pytest.raises(AnchoringFailed, match="could not reach it"):
        await post("http://127.0.0.1:9", b"", content_type="text/plain", tls=tls)
    with pytest.raises(AnchoringFailed, match="could not reach it"):
        await post(authority.address.replace("http", "https"), b"", content_type="text/plain", tls=tls)


async def test_records_are_written_and_the_hub_ends_while_everybody_who_anchors_hangs(
    court: Court, authority: Authority
) -> None:
    """Nothing waits for them: not an append, not readiness, not the end of the process."""
    await authority.fault("hang")
    async with faulty_witness(None) as url:
        court.anchored_by(authority.table(), named(url))
        async with open_for_business(court):
            await court.record(3)
            turn = asyncio.create_task(court.hub.anchoring.anchor_due())
            await until(authority.asked)
            size = await court.record(200)
            said = await court.health()

            assert not turn.done()
            assert (size, said["size"], said["checkpoint_size"]) == (203, 203, 203)
            assert [one["size"] for one in said["anchors"]] == [None, None]
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)


async def test_a_log_that_signs_no_more_is_anchored_no_more(court: Court, authority: Authority) -> None:
    """A contradiction is nothing to be vouched for."""
    async with open_for_business(court):
        await court.record(3)
        court.hub.log.signer.broken = LogBroken("the log contradicts itself")
        (anchor,) = await court.turn()

        assert (anchor["last_error"], await authority.asked()) == ("the log contradicts itself", 0)
        assert (await court.health())["broken"] == "the log contradicts itself"
