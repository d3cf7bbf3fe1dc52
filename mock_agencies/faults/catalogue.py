"""
The closed catalogue of faults: what each is, and the state and reason that a caller should report.

Which operations a fault applies to is not written here: it follows from where the fault is made (see `operation`).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One fault.  `state` and `reasons` say what a caller should report; state "by_route" means that the answer is right
    for a route that declares this form and unreadable for any other.

    `options` are the keys that its options may have, with their usual values in the description.
    """

    name: str
    zh: str
    en: str
    state: str
    reasons: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def _found(name: str, zh: str, en: str, *options: str) -> Fault:
    return Fault(name, zh, en, "found", (), options)


def _by_route(name: str, zh: str, en: str, *options: str) -> Fault:
    return Fault(name, zh, en, "by_route", (), options)


def _unavailable(name: str, zh: str, en: str, reasons: str, *options: str) -> Fault:
    return Fault(name, zh, en, "unavailable", tuple(reasons.split()), options)


def _unreadable(name: str, zh: str, en: str, *options: str) -> Fault:
    return Fault(name, zh, en, "unavailable", ("undecodable",), options)


_SOCKET: Final = (
    _found("latency", "应答变慢", "answers late by `seconds` (0.3)", "seconds"),
    _unavailable("hang", "收到请求后不再应答", "never answers", "timeout"),
    _unavailable("hang_mid_body", "发出一半正文后停住", "stops in mid-body and stays", "timeout"),
    _unavailable("drip", "逐字节慢发", "one byte each `interval` seconds (0.05)", "timeout", "interval"),
    _unavailable("reset", "连接被重置", "RST instead of an answer", "unreachable"),
    _unavailable("reset_mid_body", "正文中途被重置", "RST in mid-body", "unreachable undecodable"),
    _unavailable("close_after_read", "读完请求即断开", "reads the request, then hangs up", "unreachable"),
    _unavailable("truncated", "正文被截断", "hangs up in mid-body", "unreachable undecodable"),
    _unavailable("not_http", "返回的不是HTTP", "bytes that are not HTTP", "unreachable undecodable"),
    _unreadable("huge_body", "超大正文", "a body of `size` bytes (64 MiB)", "size"),
)

_HTTP: Final = (
    _unreadable("html_error_page", "以200返回网页错误页", "an HTML error page with status 200"),
    _unreadable("wrong_content_type", "内容类型不符", "the right bytes under another type"),
    _unreadable("wrong_charset", "GB18030内容标为UTF-8", "GB18030 bytes labelled UTF-8"),
    _unreadable("empty_body", "正文为空", "status 200 and no body"),
    _unavailable(
        "throttled",
        "请求过于频繁",
        "429, Retry-After in `seconds` (7) or with `form` date",
        "throttled",
        "seconds",
        "form",
    ),
    _unavailable("unauthorized", "返回401", "401 from a proxy in front", "auth"),
    Fault("forbidden", "返回403", "403 from a proxy in front", "refused", ("no_permission",)),
    _unavailable("server_error", "返回5xx", "`status` 500 (or 503) without a body that anyone knows", "http", "status"),
    _unavailable("redirect", "重定向到别处", "307 to /_trap, which must not be followed", "http"),
    _unreadable("gzip_bomb", "压缩炸弹", "gzip that unpacks to `size` bytes (64 MiB)", "size"),
)

_SUBJECT: Final = (
    Fault("no_record", "无记录", "no record, in one `form` of empty (list)", "not_found", (), ("form",)),
    _by_route("transient_empty", "偶发空结果", "empty twice, or `times`, and then the record"),
    _unavailable("wrong_subject", "答复了另一人", "an answer about another person", "wrong_subject"),
    Fault("two_matches", "两个匹配", "two subjects under one number", "ambiguous", ("several_matches",)),
    Fault("name_mismatch", "号码与姓名不符", "number yes, name no", "ambiguous", ("name_mismatch",)),
)

_RECORD: Final = (
    _unavailable("unknown_code", "未约定的代码", "`value` (Z9) in a coded `leaf`", "unknown_code", "leaf", "value"),
    _found("extra_field", "多出字段", "an element that is not in the contract: drift, and the answer stands"),
    _unavailable("missing_field", "缺少必需字段", "without a required `leaf`", "missing_leaf", "leaf"),
    _by_route("odd_dates", "日期写法不同", "dates in `form` text (2015-06-18) or empty", "form"),
)

_DOCUMENT: Final = (
    _unreadable("duplicate_keys", "重复键", "one leaf twice with two values"),
    _unreadable("nan", "NaN数值", "NaN in place of a number"),
    _unreadable("deep_json", "嵌套过深的JSON", "100,000 nested arrays"),
    _unreadable("deep_xml", "嵌套过深的XML", "100,000 nested elements"),
    _unreadable("dtd_inner", "XML带DTD", "a DTD with an entity in the XML of the record"),
    _unreadable("external_entity", "外部实体", "an external entity in the XML of the record"),
    _unreadable("entity_bomb", "实体膨胀", "entities that multiply"),
    _found("columns_permuted", "列顺序改变", "columns in another order"),
    _unreadable("short_row", "行短于列名", "a row shorter than its column names"),
    _by_route("single_object", "单个对象", "`datas` as one object and no array"),
    _by_route("double_encoded_json", "双重编码的JSON", "JSON inside a JSON string"),
    _by_route("half_escaped_xml", "半转义XML", "XML with only > escaped"),
    _by_route("provider_envelope", "带提供方外层", "one more envelope, of `form` code or success", "form"),
    _found("cdata_out", "out为CDATA", "`out` as CDATA instead of escaped text"),
    _found("success_variant", "另一个成功代码", "FHDM 11 with a record"),
    _by_route("json_relay", "省级JSON转发格式", "the form of the provincial JSON relay"),
)

_ENVELOPE: Final = (
    _unavailable(
        "fault", "系统故障", "the family's own failure; SOAP with `status` 500 or 200",
        "fault provider_error unknown_code auth", "status",
    ),
    _unavailable("provider_error", "数据提供方报错", "the provider behind reports an error", "provider_error"),
    _unavailable("unknown_envelope_code", "未约定的返回码", "a result code outside the table", "unknown_code", "at"),
    _unavailable(
        "out_of_hours", "不在工作时间段", "only served 9:00-17:00", "outside_hours unknown_code fault provider_error"
    ),
    _unavailable("not_whitelisted", "来源地址不在白名单", "our address is on no white list", "provider_error fault"),
    _unavailable("over_quota", "接口超量", "the daily quota is used up (18)", "quota"),
    Fault("plain_text_refusal", "SrcReceiver拒绝文本", "plain text SrcReceiver:", "refused", ("no_permission",)),
)  # fmt: skip

_SECRETS: Final = (
    _unavailable("expired_secret", "密钥过期", "the secret has run out by now", "auth fault provider_error"),
    _unavailable("bad_signature", "密钥被他人轮换", "a second holder has just renewed the secret", "auth"),
    _found("off_clock", "对方时钟不准", "end times by a clock that is `seconds` off (-3600)", "seconds"),
    _unavailable("undecryptable_secret", "密钥无法解密", "a new secret that does not decrypt", "auth undecodable"),
)

CATALOGUE: Final = {
    fault.name: fault for fault in (*_SOCKET, *_HTTP, *_SUBJECT, *_RECORD, *_DOCUMENT, *_ENVELOPE, *_SECRETS)
}
