"""
A court that asks the mock agencies correctly, signed by its own arithmetic, and can be told to get one thing wrong.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from mock_agencies import human_resources, market_regulation, public_security
from mock_agencies.agency import MockAgency
from mock_agencies.clock import MockClock
from mock_agencies.exchange import MockRequest, MockResponse
from mock_agencies.population import Population

NOW_MS = 1_795_000_000_000
RID = "11111111-2222-3333-4444-555555555555"
OFFICIAL = "330802198501010012"
JSON = {"content-type": "application/json;charset=UTF-8"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
XML = {"content-type": "text/xml;charset=UTF-8"}


def hmac_sign(sid: str, rtime: str, key: str, rid: str = RID) -> str:
    """The national platform's signature."""
    return base64.b64encode(hmac.digest(key.encode(), (sid + rid + rtime).encode(), "sha256")).decode()


def md5_sign(app_key: str, secret: str, request_time: str) -> str:
    """The provincial gateway's signature."""
    return hashlib.md5((app_key + secret + request_time).encode()).hexdigest()


def decrypted(secret: str, app_key: str) -> str:
    """The secret inside `data.secret`."""
    key = hashlib.sha1(hashlib.sha1(app_key.encode()).digest()).digest()[:16]
    opened = Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(base64.b64decode(secret))
    return opened[: -opened[-1]].decode()


@dataclass
class Court:
    """
    Asks each operation as the wire formats demand.  `changes` replace or, if None, leave out single parts.

    `latest` is the latest answer as bytes, whatever became of reading it.
    """

    clock: MockClock
    agencies: Mapping[str, MockAgency]
    secrets: dict[str, str] = field(default_factory=dict)
    latest: MockResponse = field(default_factory=lambda: MockResponse(b""))

    def verdict(self, agency: str) -> str:
        """The verdict on the latest request in the agency's journal."""
        return self.agencies[agency].journal[-1].verdict

    def now(self) -> str:
        """The agencies' time as 13 digits."""
        return str(self.clock.now_ms())

    def send(
        self, agency: str, path: str, headers: Mapping[str, str], body: bytes, method: str = "POST"
    ) -> MockResponse:
        """Sends a request without a socket."""
        path, _, query = path.partition("?")
        self.latest = self.agencies[agency].respond(MockRequest(method, path, query, dict(headers), body))
        return self.latest

    # National platform

    def fields(self, sid: str, key: str, /, **changes: Any) -> dict[str, str]:
        """The four signed fields."""
        rtime = changes.get("rtime", self.now())
        values = {"sid": sid, "rid": RID, "rtime": rtime, "sign": hmac_sign(sid, rtime, key)} | changes
        return {
            f"gjgxjhpt_{name}": values[name] for name in ("sid", "rid", "rtime", "sign") if values[name] is not None
        }

    def refresh(self, agency: str, sid: str, app_key: str, /, **changes: Any) -> dict[str, Any]:
        """Renews the secret; remembers it if it was asked for correctly and can be opened."""
        body = json.dumps(self.fields(sid, app_key, **changes)).encode()
        reply: dict[str, Any] = json.loads(self.send(agency, "/sysapi/auth/refreshappsecret", JSON, body).body)
        if reply["data"] and len(base64.b64decode(reply["data"]["secret"])) % 16 == 0:
            self.secrets[agency] = decrypted(reply["data"]["secret"], app_key)
        return reply

    def national(self, path: str, question: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
        """Asks market regulation."""
        sid = "s_1500000900000_0001"
        if "market_regulation" not in self.secrets:
            self.refresh("market_regulation", sid, "demo_app_key")
        signed = {name: changes.pop(name) for name in ("sid", "rid", "rtime", "sign") if name in changes}
        headers = JSON | self.fields(sid, self.secrets["market_regulation"], **signed) | changes.pop("headers", {})
        official = {
            "usercardid": OFFICIAL, "username": "李婷", "userdept": "柯城区人民法院", "projectid": "WO-1",
            "powermatters": "许可0000-00",
        }  # fmt: skip
        body = {name: value for name, value in ({**question, **official} | changes).items() if value is not None}
        answer: dict[str, Any] = json.loads(
            self.send("market_regulation", path, headers, json.dumps(body).encode()).body
        )
        return answer

    def registration(self, number: str, **changes: Any) -> dict[str, Any]:
        """Asks for a registration."""
        key = "regno" if len(number) == 15 else "uniscid"
        return self.national("/sysapi/enterprise/basic", {key: number}, **changes)

    def positions(self, number: str, name: str, /, **changes: Any) -> dict[str, Any]:
        """Asks for a person's positions."""
        return self.national("/sysapi/enterprise/positions", {"cerno": number, "name": name}, **changes)

    # Provincial gateway

    def irs(self, path: str, secret: str, parameters: Mapping[str, Any], *, style: str = "form") -> MockResponse:
        """Sends a signed call to the gateway in one of its styles: form, query or headers."""
        app_key = parameters.get("appKey", "A330800000000001")
        request_time = parameters.get("requestTime", self.now())
        signed = {"appKey": app_key, "requestTime": request_time, "sign": md5_sign(app_key, secret, request_time)}
        values = {name: text for name, text in (signed | dict(parameters)).items() if text is not None}
        if style == "headers":
            business = {name: values.pop(name) for name in list(values) if name not in signed}
            lower = {name.lower(): text for name, text in values.items()}
            return self.send("human_resources", path, JSON | lower, json.dumps(business).encode())
        if style == "query":
            return self.send("human_resources", f"{path}?{urlencode(values)}", {}, b"", "GET")
        return self.send("human_resources", path, FORM, urlencode(values).encode())

    def irs_secrets(self) -> dict[str, Any]:
        """Step 1: asks for both secrets; remembers them."""
        datas: dict[str, Any] = json.loads(self.irs("/gateway/app/refreshTokenByKey.htm", "demo_app_secret", {}).body)[
            "datas"
        ]
        self.secrets |= {"request": datas["requestSecret"], "refresh": datas["refreshSecret"]}
        return datas

    def participation(self, number: str, name: str, *, style: str = "form", **changes: Any) -> dict[str, Any]:
        """Asks for insurance participations."""
        if "request" not in self.secrets:
            self.irs_secrets()
        matter = {"accesscardId": OFFICIAL, "projectId": "WO-1", "powerMatters": "许可0000-00"}
        values = matter | changes.pop("matter", {})
        additional = json.dumps({part: text for part, text in values.items() if text is not None})
        path = changes.pop("path", "/gateway/api/001003085/dataSharing/socialPersonalParticipationInfo.htm")
        parameters = {"AAC002": number, "aac003": name, "additional": additional} | changes
        answer: dict[str, Any] = json.loads(self.irs(path, self.secrets["request"], parameters, style=style).body)
        return answer

    # Population base

    def identity(self, number: str, name: str | None, **changes: Any) -> MockResponse:
        """Asks the population base."""
        sid = "s_1200000900000_2108"
        if "public_security" not in self.secrets:
            self.refresh("public_security", sid, "demo_population_key")
        signed = {part: changes.pop(part) for part in ("sid", "rid", "rtime", "sign") if part in changes}
        fields = self.fields(sid, self.secrets["public_security"], **signed)
        space = changes.pop("namespace", "http://webservice.com/")
        user, password = changes.pop("user", "demo_court"), changes.pop("password", "demo_court_password")
        opened, closed = changes.pop("cdata", ("<![CDATA[", "]]>"))
        before = changes.pop("before", "")
        head = {
            "FWQQBH": RID, "QQBWDM": "GJXXZX", "QQBWMC": "示例部委", "SJLYXTDM": "330800", "SJLYXTMC": "示例平台",
            "QQYWLXDM": "01", "QQYWLXMC": "送达", "QQYWXTDM": "01", "QQYWXTMC": "示例系统", "JLS": "1",
            "FSSJ": "20261124080000", "QQRGMSFHM": OFFICIAL, "QQRXM": "李婷", "QQRDWDM": "11330800DEM000196R",
            "QQRDWMC": "柯城区人民法院",
        } | changes  # fmt: skip
        record = {"GMSFHM": number, "XM": name}
        package = (
            f"<PACKAGE><PACKAGEHEAD>{_elements(head)}</PACKAGEHEAD>"
            f'<DATA><RECORD no="1">{_elements(record)}</RECORD></DATA></PACKAGE>'
        )
        envelope = (
            f'{before}<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><tongtechheader>'
            f'{_elements(fields)}</tongtechheader></s:Header><s:Body><w:GK_JZCX_RKJCXXCX xmlns:w="{space}">'
            f"<w:in0>{opened}{package}{closed}</w:in0><w:in1>{user}</w:in1><w:in2>{password}</w:in2>"
            "</w:GK_JZCX_RKJCXXCX></s:Body></s:Envelope>"
        )
        return self.send("public_security", "/gk/services/population", XML, envelope.encode())

    # Request service

    def addresses(self, number: str, **changes: Any) -> MockResponse:
        """Asks the police request service."""
        head = {
            "Version": "1.0", "ServiceID": "S10-00000001", "RequesterID": "C330800-00000001",
            "TimeStamp": "20261124080000",
        } | {name: changes.pop(name) for name in ("ServiceID", "RequesterID") if name in changes}  # fmt: skip
        method = changes.pop("Method", "Query")
        items = {
            "UserCardId": OFFICIAL, "UserName": "李婷", "UserDept": "柯城区人民法院", "UserIp": "10.1.2.3",
            "Condition": f"SFZH='{number}'", "RequiredItems": "GMSFHM,XM,SWBS,ZZXZ,QTZZXZ,QTZZLX",
        } | changes  # fmt: skip
        listed = "".join(
            f'<Item><Name>{name}</Name><Value Type="string"><Data>{text}</Data></Value></Item>'
            for name, text in items.items()
            if text is not None
        )
        message = (
            f"<RBSPMessage>{_elements(head)}<Validity/><Method><Name>{method}</Name><Items>{listed}</Items></Method>"
            "</RBSPMessage>"
        )
        return self.send("public_security", "/rbsp/request", XML, message.encode())


def _elements(values: Mapping[str, str | None]) -> str:
    return "".join(f"<{name}>{text}</{name}>" for name, text in values.items() if text is not None)


@pytest.fixture(scope="session")
def population() -> Population:
    """The people of seed 1."""
    return Population(1)


@pytest.fixture
def court(population: Population) -> Court:
    """A court before three fresh agencies whose clock stands still."""
    clock = MockClock(lambda: NOW_MS)
    makers = {
        "public_security": public_security.create,
        "human_resources": human_resources.create,
        "market_regulation": market_regulation.create,
    }
    return Court(clock, {name: create(population, clock) for name, create in makers.items()})
