"""
The API's page works on a network that reaches no other host.
"""

import hashlib
import re
import tomllib

import httpx

from gateway.api.docs_page import STATIC, VENDORED
from tests.court import RunningCourt


def test_the_page_loads_nothing_from_another_host(court: RunningCourt) -> None:
    """Every file that the page names is served by the hub itself."""
    page = httpx.get(court.demo.address + "/docs", trust_env=False).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)

    served = [address for address in loaded if address.startswith("/")]
    assert "http" not in page
    assert served == [f"{VENDORED}/swagger-ui.css", f"{VENDORED}/swagger-ui-bundle.js"]
    assert [httpx.get(court.demo.address + address, trust_env=False).status_code for address in served] == [200, 200]


def test_every_vendored_file_is_the_one_of_the_manifest() -> None:
    """Nothing is added, missing or changed."""
    listed = {}
    for name, package in tomllib.loads((STATIC / "vendor.toml").read_text(encoding="utf-8")).items():
        folder = STATIC / "vendor" / f"{name}-{package['version']}"
        listed |= {folder / file: digest for file, digest in package["sha256"].items()}

    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in STATIC.glob("vendor/*/*")}
    assert digests == listed
