"""
Exports of real logs, checked by code that is not ours; and logs that it made, checked by us.

    python -m tests.audit.interop [--sizes 0,1,255,256,257,70000] [--python PYTHON] [--gopath /usr/share/gocode]

Two implementations: golang.org/x/mod/sumdb (note, tlog), and aics-tlog 0.2.1 from PyPI, which needs a Python of 3.12 or
newer.  Each must accept every export and refuse every damaged one.
"""

import argparse
import asyncio
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from audit.anchor.witness import with_cosignatures
from audit.export.exporter import export
from audit.format.checkpoint import Cosigner, WitnessKey, open_checkpoint, read_checkpoint
from audit.format.note import VerifierKey, parse
from audit.format.tiles import ENTRIES, Tile
from audit.format.tree import leaf_hash, verify_consistency, verify_inclusion
from audit.sealing.keys import KeyFile
from audit.store import database
from audit.store.log import Log
from audit.verify.directory_source import DirectorySource
from audit.verify.verifier import VerificationVerdict, verify
from gateway.database.embedded_server import EmbeddedServer
from tests.audit.logs import fill, sign
from tests.audit.sample import ORIGIN

HERE = Path(__file__).parent
SIZES = (0, 1, 255, 256, 257, 70_000)
AICS = "aics-tlog==0.2.1"
NEWER = ("python3.12", "python3.13", "python3.14")
ROLE = "interop_hub"

Check = Callable[[str, Path], "subprocess.CompletedProcess[str]"]


def make(server: EmbeddedServer, folder: Path, size: int, witness: Cosigner) -> tuple[str, Path]:
    """A log with an older checkpoint, exported; its verifier key and the folder."""
    name = f"interop_{size}"
    server.create(name)
    with psycopg.connect(server.conninfo(name)) as connection:
        database.create(connection, ORIGIN, application=ROLE)
    dsn, keys = server.conninfo(name, user=ROLE), KeyFile.create(folder / f"keys.{size}", origin=ORIGIN)
    fill(dsn, keys, size // 3)
    older = asyncio.run(sign(dsn, keys))
    fill(dsn, keys, size, start=size // 3)
    with psycopg.connect(server.conninfo(name)) as connection:
        # The database keeps one a minute; this one counts as older than that.
        connection.execute(
            "INSERT INTO audit.checkpoint (size, note) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (read_checkpoint(older).size, older),
        )
    out = folder / f"export.{size}"

    async def write() -> None:
        log = await Log.open(dsn, keys, sign_every=None, timeout=60)
        await asyncio.to_thread(export, log.reader, out, keys.signer.vkey)
        await log.aclose()

    asyncio.run(write())
    checkpoint = (out / "checkpoint").read_bytes()
    line = witness.cosign(parse(checkpoint).text, 1_790_000_000).line().encode()
    (out / "checkpoint.cosigned").write_bytes(with_cosignatures(checkpoint, [line]))
    return keys.signer.vkey.encode(), out


def damaged(out: Path, size: int) -> Iterator[tuple[str, Path]]:
    """Copies of an export with one bit changed: in an entry, a hash of every level, a root, a signature."""
    width = min(size, 256)
    places = [(Tile(ENTRIES, 0, width).path, 30), (Tile(0, 0, width).path, 40)]
    places += [(Tile(1, 0, size // 256 if size < 65_536 else 256).path, 5)] if size >= 256 else []
    text = (out / "checkpoint").read_bytes()
    places += [("checkpoint", text.index(b"\n", text.index(b"\n") + 1) + 5), ("checkpoint", len(text) - 20)]
    for name, at in places:
        copy = out.with_name(f"{out.name}.damaged")
        shutil.copytree(out, copy)
        content = bytearray((copy / name).read_bytes())
        content[at] ^= 1
        (copy / name).write_bytes(content)
        yield f"{name} at byte {at}", copy
        shutil.rmtree(copy)


def with_go(folder: Path, gopath: str) -> Check:
    """Builds our small program on Go's packages."""
    go = shutil.which("go")
    if go is None or not (Path(gopath) / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        sys.exit(
            "this needs Go and golang.org/x/mod: on Debian, apt-get install golang-go golang-golang-x-mod-dev; "
            "elsewhere, name the folder above src/golang.org/x/mod: make interop GO_SOURCES=…"
        )
    program = folder / "interop"
    built = {"GO111MODULE": "off", "GOPATH": gopath, "GOCACHE": str(folder / "go-cache"), "PATH": os.environ["PATH"]}
    subprocess.run([go, "build", "-o", program, HERE / "main.go"], check=True, env=built)
    return lambda vkey, out: subprocess.run([program, vkey, out], capture_output=True, text=True, check=False)


def with_aics(python: str | None, witness: str) -> Callable[..., "subprocess.CompletedProcess[str]"] | None:
    """Its own virtual environment; None where no Python is new enough."""
    candidates = [python] if python else [*NEWER, sys.executable]
    question = "import sys; sys.exit(sys.version_info < (3, 12))"
    for candidate in (shutil.which(program) for program in candidates):
        if candidate and subprocess.run([candidate, "-c", question], capture_output=True, check=False).returncode == 0:
            break
    else:
        return None
    home = Path(sys.prefix) / "interop"
    if not (home / "bin" / "aics-tlog").exists():
        subprocess.run([candidate, "-m", "venv", "--clear", home], check=True)
        pip = [home / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", AICS]
        subprocess.run(pip, check=True)
    script = [home / "bin" / "python", HERE / "with_aics.py"]

    def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
        if arguments[0] == "check":
            arguments = (*arguments, witness)
        return subprocess.run([*script, *arguments], capture_output=True, text=True, check=False)

    return run


def accept_theirs(folder: Path, size: int) -> str:
    """What aics-tlog built, in our hands."""
    document = json.loads((folder / "said.json").read_text())
    vkey, witness = VerifierKey.parse(document["vkey"]), WitnessKey.parse(document["witness"])
    report = verify(DirectorySource(folder), vkey.name, [vkey])
    assert (report.verdict, report.size) == (VerificationVerdict.INTACT, size), report.last_line()
    checkpoint, note = open_checkpoint((folder / "checkpoint.cosigned").read_bytes(), vkey.name, [vkey, witness])
    assert {signature.name for signature in note.signatures} == {vkey.name, witness.name}
    half, proof = document["half"], [base64.b64decode(node) for node in document["consistency"]]
    if half:
        old_root = base64.b64decode(document["half_root"])
        assert verify_consistency(half, size, old_root, checkpoint.root, proof)
    if size:
        path = [base64.b64decode(node) for node in document["inclusion"]]
        assert verify_inclusion(half, size, leaf_hash(b'{"n":%d}' % half), path, checkpoint.root)
    return f"{report.last_line()}; its cosignature and its proofs hold"


def say(line: str) -> None:
    """One line of the report."""
    print(line, flush=True)  # noqa: T201 - the script's own output


def print_result(name: str, ended: "subprocess.CompletedProcess[str]", *, accepted: bool) -> None:
    """Prints a verdict, and stops at one that should have been another."""
    line = (ended.stdout.strip().splitlines() or [ended.stderr.strip()[-300:]])[-1]
    say(f"{name}: {line}")
    if ended.returncode not in (0, 1) or (ended.returncode == 0) != accepted:
        sys.exit(f"{name}: should have been {'accepted' if accepted else 'refused'}\n{ended.stderr[-2000:]}")


def main() -> None:
    """Runs everything; exits with 1 at the first disagreement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(str(size) for size in SIZES))
    parser.add_argument("--python", help="a Python of 3.12 or newer, for aics-tlog")
    parser.add_argument("--gopath", default="/usr/share/gocode")
    options = parser.parse_args()
    witness = Cosigner("witness.example/interop", bytes(range(32)))
    with tempfile.TemporaryDirectory(prefix="shuniu-interop-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        go, aics = with_go(folder, options.gopath), with_aics(options.python, witness.vkey.encode())
        with EmbeddedServer(folder / "cluster") as server:
            with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {ROLE} LOGIN")
            for size in [int(text) for text in options.sizes.split(",")]:
                vkey, out = make(server, folder, size, witness)
                checks = {"sumdb": go} | ({"aics-tlog": lambda *given: aics("check", *given)} if aics else {})
                for name, check in checks.items():
                    print_result(f"{name}, export of {size}", check(vkey, out), accepted=True)
                for where, copy in damaged(out, size) if size in (257, 70_000) else ():
                    for name, check in checks.items():
                        print_result(f"{name}, export of {size} damaged in {where}", check(vkey, copy), accepted=False)
                if aics:
                    built = folder / f"theirs.{size}"
                    built.mkdir()
                    print_result(f"aics-tlog, {size}", aics("build", built, str(size)), accepted=True)
                    say(f"ours, log of aics-tlog: {accept_theirs(built, size)}")
        if not aics:
            say(f"aics-tlog was not run: no Python of 3.12 or newer was found (tried {', '.join(NEWER)}).")


if __name__ == "__main__":
    main()
