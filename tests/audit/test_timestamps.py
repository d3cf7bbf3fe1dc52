"""
RFC 3161 timestamps: ours to ask for and to keep, `openssl ts -verify` has the last word.
"""

import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from cryptography.x509 import Certificate, load_pem_x509_certificates

from audit.anchor.anchors import AnchorState
from audit.anchor.timestamp import REPLY_TYPE, REQUEST_TYPE, TimestampQuery, TimestampRefused
from audit.format.checkpoint import Checkpoint
from audit.format.note import Signer
from mock_agencies.serving import serving

pytestmark = pytest.mark.anyio

LOG = Signer("court.example/audit/1", bytes(range(32)))


def note(size: int = 7) -> bytes:
    """A signed checkpoint."""
    return LOG.sign(Checkpoint(LOG.vkey.name, size, bytes(32)).text()).encode()


@dataclass(frozen=True)
class Authority:
    """A running authority, and the folder in which openssl judges its replies."""

    client: httpx.AsyncClient
    folder: Path
    roots: list[Certificate]

    async def ask(self, stamping: TimestampQuery, fault: str | None = None) -> httpx.Response:
        """One request, perhaps under a fault."""
        (await self.client.post("/_control/fault", json={"fault": fault})).raise_for_status()
        return await self.client.post("/", content=stamping.encode(), headers={"content-type": REQUEST_TYPE})

    def openssl_accepts(self, reply: bytes, stamped: bytes) -> bool:
        """The reference verdict."""
        (self.folder / "r.tsr").write_bytes(reply)
        (self.folder / "checkpoint").write_bytes(stamped)
        command = ["openssl", "ts", "-verify", "-data", "checkpoint", "-in", "r.tsr", "-CAfile", "ca.pem"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, check=False).returncode == 0


@pytest.fixture
async def authority(folder: Path) -> AsyncIterator[Authority]:
    """A fresh authority on a socket."""
    async with (
        serving(["timestamping"]) as servers,
        httpx.AsyncClient(base_url=servers["timestamping"].address, trust_env=False) as client,
    ):
        pem = (await client.get("/ca.pem")).content
        (folder / "ca.pem").write_bytes(pem)
        yield Authority(client, folder, load_pem_x509_certificates(pem))


async def test_a_timestamp_of_the_checkpoints_bytes_is_valid_here_and_for_openssl(authority: Authority) -> None:
    """And for no other bytes: one changed byte, and both refuse."""
    stamping = TimestampQuery.from_note(note())
    answer = await authority.ask(stamping)
    changed = note()[:-2] + b"x\n"

    assert answer.headers["content-type"] == REPLY_TYPE
    assert stamping.judge(answer.content, authority.roots) is AnchorState.VALID
    assert authority.openssl_accepts(answer.content, note())
    assert not authority.openssl_accepts(answer.content, changed)
    with pytest.raises(TimestampRefused, match="another note"):
        TimestampQuery(changed, stamping.request).judge(answer.content, authority.roots)


async def test_a_reply_with_its_chain_is_stored_unparsed_though_openssl_reads_it(authority: Authority) -> None:
    """The strict parser refuses certificates that are out of order; that makes it neither lost nor valid."""
    stamping = TimestampQuery.from_note(note())
    answer = await authority.ask(stamping, "chain")

    assert stamping.judge(answer.content, authority.roots) is AnchorState.UNPARSED
    assert authority.openssl_accepts(answer.content, note())
    for other in (TimestampQuery.from_note(note()), TimestampQuery(note(8), stamping.request)):
        with pytest.raises(TimestampRefused, match="not a reply to this request"):
            other.judge(answer.content, authority.roots)
    with pytest.raises(TimestampRefused):
        stamping.judge(answer.content[:-1], authority.roots)


async def test_a_refusal_a_replay_and_a_strangers_reply_are_no_anchors(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Refused by status, by nonce, and by the root that we trust."""
    first, second = TimestampQuery.from_note(note()), TimestampQuery.from_note(note())
    with pytest.raises(TimestampRefused, match="the authority refused"):
        first.judge((await authority.ask(first, "refuse")).content, authority.roots)
    replayed = await authority.ask(first, "stale")
    replayed = await authority.ask(second, "stale")
    with pytest.raises(TimestampRefused, match="another note, or not by this authority"):
        second.judge(replayed.content, authority.roots)
    granted = await authority.ask(second)
    async with serving(["timestamping"]) as servers, httpx.AsyncClient(trust_env=False) as client:
        stranger = load_pem_x509_certificates((await client.get(servers["timestamping"].address + "/ca.pem")).content)
    with pytest.raises(TimestampRefused, match="not by this authority"):
        second.judge(granted.content, stranger)


@pytest.mark.parametrize("reply", [b"", b"<html>", b"\x30\x03\x02\x01\x00", b"\x30\x80\x00\x00", bytes(5000)])
async def test_garbage_is_neither_a_timestamp_nor_unparsed(authority: Authority, reply: bytes) -> None:
    """Only what speaks of this note and this request is kept."""
    with pytest.raises(TimestampRefused):
        TimestampQuery.from_note(note()).judge(reply, authority.roots)
