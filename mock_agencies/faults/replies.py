"""
HTTP faults: a right answer under a wrong status, type or charset, or another answer in its place.
"""

import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from mock_agencies.clock import http_date, wall_clock_ms
from mock_agencies.exchange import MockResponse
from mock_agencies.faults.script import Options

_PAGE: Final = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>系统繁忙</title></head>
<body><h1>系统繁忙，请稍后再试</h1><p>WebLogic Bridge Message</p></body></html>
""".encode()
_BOMB: Final = 64 * 1024 * 1024


def _html_error_page(_answer: MockResponse, _options: Options) -> MockResponse:
    return MockResponse(_PAGE, "text/html;charset=UTF-8")


def _wrong_content_type(answer: MockResponse, _options: Options) -> MockResponse:
    return replace(answer, content_type="application/octet-stream")


def _wrong_charset(answer: MockResponse, _options: Options) -> MockResponse:
    return replace(answer, body=answer.body.decode().encode("gb18030"))


def _empty_body(answer: MockResponse, _options: Options) -> MockResponse:
    return replace(answer, body=b"")


def _throttled(_answer: MockResponse, options: Options) -> MockResponse:
    seconds = int(options.get("seconds", 7))
    as_date = options.get("form") == "date"
    wait = http_date(wall_clock_ms() + seconds * 1_000) if as_date else str(seconds)
    return MockResponse(b"too many requests", "text/plain", 429, (("retry-after", wait),))


def _unauthorized(_answer: MockResponse, _options: Options) -> MockResponse:
    return MockResponse(_PAGE, "text/html;charset=UTF-8", 401, (("www-authenticate", 'Basic realm="proxy"'),))


def _forbidden(_answer: MockResponse, _options: Options) -> MockResponse:
    return MockResponse(_PAGE, "text/html;charset=UTF-8", 403)


def _server_error(_answer: MockResponse, options: Options) -> MockResponse:
    return MockResponse(_PAGE, "text/html;charset=UTF-8", int(options.get("status", 500)))


def _redirect(_answer: MockResponse, _options: Options) -> MockResponse:
    return MockResponse(b"", "text/plain", 307, (("location", "/_trap"),))


def _gzip_bomb(answer: MockResponse, options: Options) -> MockResponse:
    return MockResponse(
        _bomb(int(options.get("size", _BOMB))), answer.content_type, answer.status, (("content-encoding", "gzip"),)
    )


@lru_cache(maxsize=2)
def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    blank = b" " * (1 << 20)
    packed = [packer.compress(blank[: size - start]) for start in range(0, size, len(blank))]
    return b"".join([*packed, packer.flush()])


REPLIES: Final[dict[str, Callable[[MockResponse, Options], MockResponse]]] = {
    "html_error_page": _html_error_page,
    "wrong_content_type": _wrong_content_type,
    "wrong_charset": _wrong_charset,
    "empty_body": _empty_body,
    "throttled": _throttled,
    "unauthorized": _unauthorized,
    "forbidden": _forbidden,
    "server_error": _server_error,
    "redirect": _redirect,
    "gzip_bomb": _gzip_bomb,
}
