"""
The directory: synthetic staff and registered clients.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

# Order of the group of P-256 (FIPS 186-5): a private key is a number below it.
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})

# Classes of authentication, the weakest first, which is the default.
ACR = ("urn:demo:acr:password", "urn:demo:acr:certificate")

STAFF_SCOPES = ("openid", "profile", "lookups")
TICKET_SCOPES = ("work-orders:write",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A synthetic member of a court's staff."""

    user: str
    name: str
    court: str
    unit: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredClient:
    """
    A program known to the sign-on server.

    A service has a key and acts for itself at one `court`; the others send people to sign in, and get them back at
    one of `return_paths` on any port of their own machine (RFC 8252, section 7.3).  A `confidential` one of these has
    a key, too, and must prove itself when it exchanges a code.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    court: str = ""
    return_paths: tuple[str, ...] = ()
    confidential: bool = False

    @property
    def is_service(self) -> bool:
        """Whether the client signs on for itself."""
        return bool(self.court)

    @property
    def has_key(self) -> bool:
        """Whether the client proves itself by an assertion."""
        return self.is_service or self.confidential

    def may_return_to(self, address: str) -> bool:
        """Whether people may be sent back to this address."""
        parts = urlsplit(address)
        return (
            parts.scheme in {"http", "https"}
            and parts.hostname in LOOPBACK
            and parts.username is None
            and parts.path in self.return_paths
            and not parts.query
            and "#" not in address
        )


def _by_user(*staff: Staff) -> Mapping[str, Staff]:
    return {member.user: member for member in staff}


def _by_id(*clients: RegisteredClient) -> Mapping[str, RegisteredClient]:
    return {client.id: client for client in clients}


_KECHENG, _QUJIANG = "示例市柯城区人民法院", "示例市衢江区人民法院"

STAFF = _by_user(
    Staff(user="li.ting", name="李婷", court="浙0802", unit=f"{_KECHENG}送达中心", roles=("clerk",)),
    Staff(user="wang.qiang", name="王强", court="浙0802", unit=f"{_KECHENG}送达中心", roles=("clerk",)),
    Staff(user="sun.li", name="孙丽", court="浙0802", unit=f"{_KECHENG}送达中心", roles=("clerk",)),
    Staff(user="qian.wei", name="钱伟", court="浙0802", unit=f"{_KECHENG}送达中心", roles=("clerk",)),
    Staff(user="wu.fang", name="吴芳", court="浙0802", unit=f"{_KECHENG}送达中心", roles=("clerk",)),
    Staff(user="zhou.yan", name="周岩", court="浙0802", unit=f"{_KECHENG}立案庭", roles=("clerk",)),
    Staff(user="zheng.hao", name="郑浩", court="浙0802", unit="示例市中级人民法院", roles=("administrator",)),
    Staff(user="chen.jing", name="陈静", court="浙0802", unit=f"{_KECHENG}督察室", roles=("auditor",)),
    Staff(user="admin", name="系统管理员", court="浙0802", unit=f"{_KECHENG}信息科", roles=("administrator",)),
    Staff(user="feng.an", name="冯安", court="浙0802", unit=f"{_KECHENG}信息科", roles=("administrator",)),
    Staff(user="zhao.min", name="赵敏", court="浙0803", unit=f"{_QUJIANG}立案庭", roles=("clerk",)),
    Staff(user="chu.jun", name="褚军", court="浙0803", unit=f"{_QUJIANG}送达中心", roles=("clerk",)),
    Staff(user="wei.na", name="卫娜", court="浙0803", unit=f"{_QUJIANG}送达中心", roles=("clerk",)),
    Staff(user="jiang.bo", name="蒋波", court="浙0803", unit=f"{_QUJIANG}立案庭", roles=("clerk",)),
    Staff(user="shen.yu", name="沈玉", court="浙0803", unit=f"{_QUJIANG}信息科", roles=("administrator",)),
    Staff(user="han.lei", name="韩磊", court="浙0803", unit=f"{_QUJIANG}信息科", roles=("administrator",)),
    Staff(user="yang.xue", name="杨雪", court="浙0803", unit=f"{_QUJIANG}督察室", roles=("auditor",)),
)

CLIENTS = _by_id(
    RegisteredClient(id="shuniu-pages", name="枢纽", scopes=STAFF_SCOPES, return_paths=("/signed-in",)),
    RegisteredClient(
        id="shuniu-pages-confidential",
        name="枢纽",
        scopes=STAFF_SCOPES,
        return_paths=("/signed-in",),
        confidential=True,
    ),
    RegisteredClient(id="ticket-system", name="工单系统", scopes=TICKET_SCOPES, court="浙0802"),
    RegisteredClient(id="ticket-system-0803", name="工单系统（浙0803）", scopes=TICKET_SCOPES, court="浙0803"),
)


def client_key(client: str) -> ECKey:
    """
    The private key of a synthetic client: anyone can compute it from the client's id, so it protects nothing.
    """
    seed = hashlib.sha256(f"shuniu demo client {client}".encode()).digest()
    number = int.from_bytes(seed, "big") % (P256_ORDER - 1) + 1
    return ECKey.import_key(ec.derive_private_key(number, ec.SECP256R1()), {"kid": client})
