# mypy: disallow-untyped-calls=False
"""
The four upstreams of the hand-written gateway: sign, send, decode into rows, each in its format.
"""

import asyncio
import base64
import hashlib
import hmac
import io
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

import zeep
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from lxml import etree
from zeep import xsd
from zeep.proxy import AsyncServiceProxy

CHINA = ZoneInfo("Asia/Shanghai")
WSDL = Path(__file__).parent.parent / "adapters/wire/wsdl/population.wsdl"
NAMESPACE = "http://webservice.com/"

OFFICIAL = {
    "id_number": "330802199003071239",
    "name": "李婷",
    "unit_code": "11330800DEM000196R",
    "unit_name": "示例市柯城区人民法院",
    "terminal": "10.0.0.17",
}
WORK_ORDER = "W-2026-01877"
MATTER = "许可0000-00"

Row = Mapping[str, Any]


class UpstreamTransport(Protocol):
    """The transport of the upstreams: POST to one agency, and zeep's transport."""

    async def post(self, agency: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        """The body of a 200 answer; raises for anything else."""
        ...

    def soap(self, agency: str) -> zeep.transports.AsyncTransport:
        """The transport that zeep asks this agency with."""
        ...

    async def aclose(self) -> None:
        """Closes every connection."""
        ...


@dataclass
class CachedSecret:
    """A secret that is fetched once, again a minute before it ends or when it is dead; only one caller fetches."""

    fetch: Callable[[], Awaitable[tuple[str, float]]]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    value: str = ""
    ends_at: float = 0.0

    async def get(self, dead: str | None = None) -> str:
        if self._stale(dead):
            async with self.lock:
                if self._stale(dead):
                    self.value, self.ends_at = await self.fetch()
        return self.value

    def _stale(self, dead: str | None) -> bool:
        return time.time() >= self.ends_at - 60 or self.value == dead


def now_ms() -> str:
    return str(int(time.time() * 1000))


class National:
    """The national platform: HMAC headers, and an encrypted secret that must be renewed."""

    def __init__(self, net: UpstreamTransport, agency: str, app_key: str, sid: str) -> None:
        self.net, self.agency, self.app_key, self.sid = net, agency, app_key, sid
        self.secret = CachedSecret(self.refresh)

    def fields(self, key: str) -> dict[str, str]:
        rid, rtime = str(uuid.uuid4()), now_ms()
        digest = hmac.digest(key.encode(), f"{self.sid}{rid}{rtime}".encode(), "sha256")
        sign = base64.b64encode(digest).decode()
        return {
            "gjgxjhpt_rid": rid,
            "gjgxjhpt_sid": self.sid,
            "gjgxjhpt_rtime": rtime,
            "gjgxjhpt_sign": sign,
        }

    async def signed(self) -> dict[str, str]:
        return self.fields(await self.secret.get())

    async def refresh(self) -> tuple[str, float]:
        body = json.dumps(self.fields(self.app_key)).encode()
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        answer = json.loads(await self.net.post(self.agency, "/sysapi/auth/refreshappsecret", headers, body))
        key = hashlib.sha1(hashlib.sha1(self.app_key.encode()).digest()).digest()[:16]
        decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
        padded = decryptor.update(base64.b64decode(answer["data"]["secret"])) + decryptor.finalize()
        unpadder = PKCS7(128).unpadder()
        secret = (unpadder.update(padded) + unpadder.finalize()).decode()
        return secret, answer["data"]["secretEndTime"] / 1000


class PopulationUpstream:
    """public_security.identity: the population base by SOAP."""

    def __init__(self, net: UpstreamTransport, address: str, account: Mapping[str, str]) -> None:
        self.account = account
        self.platform = National(net, "public_security", account["app_key"], account["sid"])
        wsdl = io.BytesIO(WSDL.read_bytes().replace(b"{namespace}", NAMESPACE.encode()))
        client = zeep.AsyncClient(wsdl, transport=net.soap("public_security"))
        binding = client.wsdl.bindings[f"{{{NAMESPACE}}}populationBinding"]
        self.service = AsyncServiceProxy(client, binding, address=f"{address}/gk/services/population")
        names = ("rid", "sid", "rtime", "sign")
        self.header = xsd.Element(
            "tongtechheader",
            xsd.ComplexType(xsd.Sequence([xsd.Element(f"gjgxjhpt_{name}", xsd.String()) for name in names])),
        )

    async def ask(self, number: str, name: str) -> tuple[list[Row], str | None]:
        header = self.header(**await self.platform.signed())
        out = await self.service.GK_JZCX_RKJCXXCX(
            in0=etree.CDATA(self.package(number, name)),
            in1=self.account["user"],
            in2=self.account["password"],
            _soapheaders=[header],
        )
        package = etree.fromstring(out.encode())
        if package.findtext("PACKAGEHEAD/FHDM") not in {"10", "11"}:
            raise ValueError("population base: not accepted")
        records = package.findall("DATA/RECORD")
        return [{leaf.tag: leaf.text for leaf in record} for record in records], package.findtext("PACKAGEHEAD/FFQQBH")

    def package(self, number: str, name: str) -> str:
        head = {
            "FWQQBH": str(uuid.uuid4()),
            "JLS": "1",
            "FSSJ": datetime.now(CHINA).strftime("%Y%m%d%H%M%S"),
            "QQBWDM": "GJXXZX",
            "QQBWMC": "示例信息中心",
            "SJLYXTDM": "330800",
            "SJLYXTMC": "示例数据平台",
            "QQYWLXDM": "01",
            "QQYWLXMC": "送达",
            "QQYWXTDM": "SHUNIU",
            "QQYWXTMC": "枢纽",
            "QQRGMSFHM": OFFICIAL["id_number"],
            "QQRXM": OFFICIAL["name"],
            "QQRDWDM": OFFICIAL["unit_code"],
            "QQRDWMC": OFFICIAL["unit_name"],
        }
        about = f"<GMSFHM>{escape(number)}</GMSFHM><XM>{escape(name)}</XM>"
        heads = "".join(f"<{leaf}>{escape(text)}</{leaf}>" for leaf, text in head.items())
        return f'<PACKAGE><PACKAGEHEAD>{heads}</PACKAGEHEAD><DATA><RECORD no="1">{about}</RECORD></DATA></PACKAGE>'


class AddressesUpstream:
    """public_security.addresses: the police request service (RBSP)."""

    COLUMNS = "GMSFHM,XM,CYM,XB,CSRQ,SWBS,BYQK,ZZXZ,ZZSSXQ,ZZQSRQ,QTZZXZ,QTZZSSXQ,QTZZQSRQ,QTZZLX,FWCS"

    def __init__(self, net: UpstreamTransport, account: Mapping[str, str]) -> None:
        self.net, self.account = net, account

    async def ask(self, number: str, _name: str) -> tuple[list[Row], str | None]:
        items = {
            "UserCardId": OFFICIAL["id_number"],
            "UserName": OFFICIAL["name"],
            "UserDept": OFFICIAL["unit_name"],
            "UserIp": OFFICIAL["terminal"],
            "Condition": f"SFZH='{number}'",
            "RequiredItems": self.COLUMNS,
        }
        written = "".join(
            f'<Item><Name>{name}</Name><Value Type="string"><Data>{escape(value)}</Data></Value></Item>'
            for name, value in items.items()
        )
        body = (
            '<?xml version="1.0" encoding="UTF-8"?><RBSPMessage><Version>1.0</Version>'
            f"<ServiceID>{self.account['service_id']}</ServiceID>"
            f"<RequesterID>{self.account['requester_id']}</RequesterID>"
            f"<TimeStamp>{datetime.now(CHINA):%Y%m%d%H%M%S}</TimeStamp><Validity></Validity>"
            "<Security><Signature/><CheckCode/><Encrypt/></Security>"
            f"<Method><Name>Query</Name><Items>{written}</Items></Method></RBSPMessage>"
        )
        headers = {"Content-Type": "text/xml; charset=UTF-8"}
        root = etree.fromstring(await self.net.post("public_security", "/rbsp/request", headers, body.encode()))
        table = [[cell.text or "" for cell in row.iter("Data")] for row in root.iter("Row")]
        if table[0][0] != "000":
            raise ValueError("request service: not accepted")
        return [dict(zip(table[1], row, strict=True)) for row in table[2:]], None


class ParticipationUpstream:
    """human_resources.participation: the provincial gateway (IRS), form style."""

    PATH = "/gateway/api/001003085/dataSharing/socialPersonalParticipationInfo.htm"

    def __init__(self, net: UpstreamTransport, account: Mapping[str, str]) -> None:
        self.net, self.account = net, account
        self.secret = CachedSecret(self.refresh)
        self.additional = json.dumps(
            {
                "powerMatters": MATTER,
                "accesscardId": OFFICIAL["id_number"],
                "projectId": WORK_ORDER,
                "materialName": "",
                "sponsorName": OFFICIAL["unit_name"],
                "sponsorCode": OFFICIAL["unit_code"],
            },
            ensure_ascii=False,
        )

    async def call(self, path: str, secret: str, fields: Mapping[str, str]) -> dict[str, Any]:
        requested = now_ms()
        sign = hashlib.md5(f"{self.account['app_key']}{secret}{requested}".encode()).hexdigest()
        form = {"appKey": self.account["app_key"], "sign": sign, "requestTime": requested, **fields}
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        answer = json.loads(await self.net.post("human_resources", path, headers, urlencode(form).encode()))
        return dict(answer)

    async def refresh(self) -> tuple[str, float]:
        answer = await self.call("/gateway/app/refreshTokenByKey.htm", self.account["app_secret"], {})
        return answer["datas"]["requestSecret"], int(answer["datas"]["requestSecretEndTime"]) / 1000

    async def ask(self, number: str, name: str) -> tuple[list[Row], str | None]:
        fields = {"AAC002": number, "aac003": name, "additional": self.additional}
        secret = await self.secret.get()
        answer = await self.call(self.PATH, secret, fields)
        if answer["code"] in {"11", "14"}:
            # Another holder of the same key has renewed the secret meanwhile.
            answer = await self.call(self.PATH, await self.secret.get(dead=secret), fields)
        if answer["code"] != "00":
            raise ValueError("provincial gateway: not accepted")
        rows = answer["datas"]
        if isinstance(rows, str):
            rows = json.loads(rows or "[]")
        if isinstance(rows, dict) and "success" in rows:
            rows = rows["data"]
        return rows or [], answer["requestId"]


class PositionsUpstream:
    """market_regulation.positions: the national platform."""

    def __init__(self, net: UpstreamTransport, account: Mapping[str, str]) -> None:
        self.net = net
        self.platform = National(net, "market_regulation", account["app_key"], account["sid"])

    async def ask(self, number: str, name: str) -> tuple[list[Row], str | None]:
        signed = await self.platform.signed()
        body = {
            "cerno": number,
            "name": name,
            "usercardid": OFFICIAL["id_number"],
            "username": OFFICIAL["name"],
            "userdept": OFFICIAL["unit_name"],
            "projectid": WORK_ORDER,
            "powermatters": MATTER,
        }
        headers = {"Content-Type": "application/json; charset=UTF-8", **signed}
        written = json.dumps(body, ensure_ascii=False).encode()
        answer = json.loads(await self.net.post("market_regulation", "/sysapi/enterprise/positions", headers, written))
        if str(answer["code"]) != "200" or answer["data"]["head"]["code"] != "0000":
            raise ValueError("national platform: not accepted")
        return answer["data"]["data"]["cxjg"], signed["gjgxjhpt_rid"]
