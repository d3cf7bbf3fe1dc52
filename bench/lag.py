"""
Benchmark of the event loop's lag while a large answer is read: `python -m bench.lag [--bytes 5000000]`.

For each family the answers that cost most: many rows, many small groups or elements, and one long text.  Prints the
time until it is read, the longest wait of the loop meanwhile, and by how much the process grew.
"""

import argparse
import asyncio
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from adapters.wire.transport import BODY_LIMIT
from fuzz.harness import TARGETS, FuzzHarness, HttpAnswer

JSON: Final = ((b"content-type", b"application/json"),)
XML: Final = ((b"content-type", b"text/xml"),)
_SOAP: Final = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
    '<n:GK_JZCX_RKJCXXCXResponse xmlns:n="http://webservice.com/"><n:out><![CDATA['
    "<PACKAGE><PACKAGEHEAD><FHDM>10</FHDM></PACKAGEHEAD><DATA>",
    "</DATA></PACKAGE>]]></n:out></n:GK_JZCX_RKJCXXCXResponse></s:Body></s:Envelope>",
)
_RBSP: Final = (
    '<RBSPMessage><Method><Items><Item><Value Type="arrayOfArrayOf_string"><Row><Data>000</Data></Row>'
    "<Row><Data>GMSFHM</Data><Data>XM</Data></Row>",
    "</Value></Item></Items></Method></RBSPMessage>",
)
_IRS: Final = ('{"code":"00","datas":[', "]}")
_NATIONAL: Final = ('{"code":200,"data":{"head":{"code":"0000"},"data":{"cxjg":[', "]}}}")

# Target, what is many, head and end of the answer, and what stands between, over and over.
CASES: Final = (
    ("irs", "rows", _IRS, '{"AAC002":"33080219900307123X","AAC003":"甲某某"},'),
    ("irs", "numbers", _IRS, "1,"),
    ("irs", "groups", _IRS, "[],"),
    ("irs", "characters", ('{"code":"00","datas":[{"AAC003":"', '"}]}'), "甲"),
    ("irs", "escapes", ('{"code":"00","datas":[{"AAC003":"', '"}]}'), "\\ud840\\udc00"),
    ("county", "rows", _IRS, '{"AAC002":"33080219900307123X","AAC003":"甲某某"},'),
    ("national", "rows", _NATIONAL, '{"uniscid":"91330800MA00000000","entname":"甲"},'),
    ("national", "groups", _NATIONAL, "{},"),
    ("population", "rows", _SOAP, "<RECORD><GMSFHM>33080219900307123X</GMSFHM><XM>甲</XM></RECORD>"),
    ("population", "elements", _SOAP, "<a/>"),
    ("population", "characters", (f"{_SOAP[0]}<RECORD><XM>", f"</XM></RECORD>{_SOAP[1]}"), "甲"),
    ("rbsp", "rows", _RBSP, "<Row><Data>33080219900307123X</Data><Data>甲</Data></Row>"),
    ("rbsp", "elements", _RBSP, "<a/>"),
    ("rbsp", "characters", (f"{_RBSP[0]}<Row><Data>", f"</Data><Data>x</Data></Row>{_RBSP[1]}"), "甲"),
)


def answer_of_size(ends: tuple[str, str], piece: str, size: int) -> bytes:
    """An answer of nearly `size` bytes."""
    head, end = (text.encode() for text in ends)
    count = (size - len(head) - len(end)) // len(piece.encode())
    return head + (piece.encode() * count).rstrip(b",") + end


async def measure(target: str, answer: HttpAnswer) -> tuple[float, float, str]:
    """Seconds until the answer is read, the loop's longest wait meanwhile, and the state."""
    harness = FuzzHarness(TARGETS[target], Path(tempfile.mkdtemp()))
    await harness.ask()
    worst, over = 0.0, False

    async def tick() -> None:
        nonlocal worst
        while not over:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - before - 0.001)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.05)
    worst, began = 0.0, time.perf_counter()
    reply = await harness.ask(answer)
    took = time.perf_counter() - began
    await asyncio.sleep(0.005)
    over = True
    await ticking
    return took, worst, f"{reply.state}/{reply.reason or '-'}"


def run(target: str, many: str, ends: tuple[str, str], piece: str, size: int) -> None:
    """Measures one case and prints its line."""
    answer = HttpAnswer(answer_of_size(ends, piece, size), headers=JSON if ends[0].startswith("{") else XML)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took, lag, state = asyncio.run(measure(target, answer))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{target:11} {many:11} {took * 1000:7.0f} ms {lag * 1000:7.0f} ms {grown:6.0f} MB  {state}", flush=True)


def main() -> None:
    """Every case in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench.lag", description=__doc__)
    parser.add_argument("--bytes", type=int, default=BODY_LIMIT)
    size = parser.parse_args().bytes
    print(f"{'target':11} {'many':11} {'read in':>10} {'loop waits':>10} {'grows':>9}  state", flush=True)
    for case in CASES:
        process = multiprocessing.get_context("fork").Process(target=run, args=(*case, size))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)


if __name__ == "__main__":
    main()
