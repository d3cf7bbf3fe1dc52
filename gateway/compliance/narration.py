"""
One sentence for each record of the log, in Chinese and in English.

    李婷 looked up 王•••••• (3308••••••••••1239) at Public security for (2026)浙0802…号: found.

A type without a sentence of its own is told by its label, so that no record is left out.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final

from audit.format.event import EventType
from audit.store.search import Hit
from gateway.compliance.phrases import Wording, actor, agency_answers, asked_agencies, case_label, parties, rule_text
from schemas.work_order import WorkOrderStatus

# The parts of a sentence are the members of the leaf's `detail`, and these: who acted (`who`), the parties (`whom`),
# the case (`case`), and the rule of a refusal (`because`).
_SENTENCES: Final[Mapping[EventType, tuple[str, str]]] = {
    EventType.LOOKUP_INTENT: ("{who}{case}{to}查询{whom}：{end}", "{who} looked up {whom}{to}{case}: {end}"),
    EventType.LOOKUP_OUTCOME: ("一次查询有了结果：{answers}", "A lookup has its outcome: {answers}"),
    EventType.LOOKUP_DENIED: (
        "{who}{case}查询{whom}被拒：{because}",
        "{who} was refused a lookup of {whom}{case}: {because}",
    ),
    EventType.RESULT_READ: (
        "{who}{case}再次查阅{whom}的已存结果",
        "{who} read the stored answer about {whom} again{case}",
    ),
    EventType.FIELD_REVEALED: (
        "{who}{case}查看了{whom}的完整字段（{fields}）",
        "{who} had fields of {whom} shown in full{case} ({fields})",
    ),
    EventType.RECORD_PRINTED: (
        "{who}{case}打印了{whom}的查询记录",
        "{who} printed the record of a lookup of {whom}{case}",
    ),
    EventType.WORK_ORDER_CHANGED: (
        "{emergency}{who}{case}的工单状态变为{state}{count}",
        "{emergency}{who} made a work order {state}{case}{count}",
    ),
    EventType.SESSION_SIGNED_IN: ("{who}登录", "{who} signed in"),
    EventType.SESSION_ENDED: ("{who}的会话结束：{ending}", "The session of {who} ended: {ending}"),
    EventType.ACCESS_REFUSED: ("{who}的请求被拒：{because}", "{who} was refused: {because}"),
    EventType.LOG_SEARCHED: ("{who}检索了日志{about}：{criteria}", "{who} searched the log{about}: {criteria}"),
    EventType.LOG_EXPORTED: ("{who}导出了日志记录（{format}）", "{who} exported records ({format})"),
    EventType.LOG_ERASED: ("销毁了一个人的密钥或到期内容（{ground}）", "Sealed values were destroyed ({ground})"),
    EventType.LOG_ORPHAN_CLOSED: (
        "补结了第{intent}条没有结果的查询意向",
        "Intent {intent}, which had no outcome, was closed",
    ),
    EventType.LOG_ANCHORED: (
        "{size}条记录的检查点已由{name}锚定",
        "The checkpoint of {size} records was anchored by {name}",
    ),
    EventType.ADMIN_CHANGED: (
        "{who}变更了管理设置（单位{units}个，人员{people}人）",
        "{who} changed the administration ({units} units, {people} people)",
    ),
    EventType.REPORT_CHANGED: (
        "{who}{step}告知{whom}的查询报告",
        "{who} {step} the report to {whom} of who looked them up",
    ),
    EventType.USE_REVIEWED: ("{who}核查了一例使用情况：{finding}", "{who} reviewed a use: {finding}"),
}
_COUNTED: Final = (
    "{count}次无法识别身份的请求被拒：{because}",
    "{count} calls of unrecognised callers were refused: {because}",
)

_ORDER_STATES: Final[dict[str, tuple[str, str]]] = {
    **{state.value: (state.zh, state.en.lower()) for state in WorkOrderStatus},
    "confirmed": ("已由第二人确认", "confirmed by a second person"),
    "reviewed": ("已审查", "reviewed"),
}
_ENDINGS: Final[dict[str, tuple[str, str]]] = {
    "signed_out": ("本人退出", "signed out"),
    "replaced": ("重新登录", "signed in anew"),
    "idle": ("长时间未操作", "idle for too long"),
    "expired": ("达到时限", "its time was over"),
    "moved": ("网络地址变动", "it turned up at another address"),
}
_REPORT_STEPS: Final[dict[str, tuple[str, str]]] = {
    "drafted": ("起草了", "drafted"),
    "withheld": ("变更了暂不告知项于", "changed what is withheld from"),
    "released": ("放行了", "released"),
}
_FINDINGS: Final[dict[str, tuple[str, str]]] = {
    "explained": ("已说明", "explained"),
    "follow_up": ("待进一步了解", "to be followed up"),
    "escalate": ("上报", "escalated"),
}


def sentence(hit: Hit, wording: Wording) -> str:
    """One record as one sentence, without its time."""
    detail = hit.leaf.get("detail", {})
    whom, case = parties(hit, wording), case_label(hit, wording)
    if hit.type not in _SENTENCES:
        label = wording.either(f"：{hit.type.zh}", f": {hit.type.en}")
        return actor(hit, wording) + label + (f" ({whom})" if whom else "") + wording.either("。", ".")
    counted = hit.type is EventType.ACCESS_REFUSED and "count" in detail
    parts: defaultdict[str, object] = defaultdict(str, units=0, people=0)
    parts |= detail
    parts |= {
        "who": actor(hit, wording),
        "whom": whom,
        "case": wording.either(f"为{case}", f" for {case}") if case else "",
        "because": rule_text(str(detail.get("rule", "")), wording),
    }
    if hit.type in _PARTS:
        parts |= _PARTS[hit.type](hit, wording)
    template = wording.either(*(_COUNTED if counted else _SENTENCES[hit.type]))
    return template.format_map(parts) + wording.either("。", ".")


def _lookup(hit: Hit, wording: Wording) -> dict[str, str]:
    agencies = asked_agencies(hit, wording)
    to = wording.either(f"向{agencies}", f" at {agencies}") if agencies else ""
    return {"to": to, "end": _end(hit, wording)}


def _end(hit: Hit, wording: Wording) -> str:
    if hit.outcome is None:
        return wording.either("尚无结果", "no outcome yet")
    leaf = hit.outcome.leaf
    if leaf.get("outcome") == "withheld":
        because = rule_text(str(leaf.get("detail", {}).get("rule", "")), wording)
        return wording.either(f"结果未交付（{because}）", f"the answer was withheld ({because})")
    return _answers(leaf, wording)


def _answers(leaf: Mapping[str, Any], wording: Wording) -> str:
    if "reused" in leaf.get("detail", {}) and not leaf.get("heard"):
        return wording.either("采用此前已得的答复，未再向单位查询", "answered from what was there already")
    return agency_answers(leaf, wording) or wording.either("未向任何单位查询", "no agency was asked")


def _work_order(hit: Hit, wording: Wording) -> dict[str, str]:
    detail = hit.leaf.get("detail", {})
    count = detail.get("parties")
    return {
        "state": _word(_ORDER_STATES, hit, wording),
        "emergency": wording.either("【应急查询】", "Emergency access: ") if detail.get("exception") else "",
        "count": "" if count is None else wording.either(f"，共{count}名当事人", f", {count} parties"),
    }


def _search(hit: Hit, wording: Wording) -> dict[str, str]:
    whom = parties(hit, wording)
    names = str(hit.leaf.get("detail", {}).get("filters", "")).replace(",", wording.either("、", ", "))
    return {
        "about": wording.either(f"（查{whom}）", f" for {whom}") if whom else "",
        "criteria": names or wording.either("全部", "all"),
    }


def _word(words: Mapping[str, tuple[str, str]], hit: Hit, wording: Wording, *, member: str = "") -> str:
    """The label of the leaf's outcome, or of a member of its detail."""
    leaf = hit.leaf
    word = str(leaf.get("detail", {}).get(member, "") if member else leaf.get("outcome", ""))
    return wording.either(*words.get(word, (word, word)))


# Parts of a sentence that are neither common to all nor members of the detail.
_PARTS: Final[Mapping[EventType, Callable[[Hit, Wording], dict[str, str]]]] = {
    EventType.LOOKUP_INTENT: _lookup,
    EventType.LOOKUP_OUTCOME: lambda hit, wording: {"answers": _answers(hit.leaf, wording)},
    EventType.FIELD_REVEALED: lambda hit, wording: {
        "fields": wording.listed([str(name) for name in hit.leaf.get("released", ())])
    },
    EventType.WORK_ORDER_CHANGED: _work_order,
    EventType.SESSION_ENDED: lambda hit, wording: {"ending": _word(_ENDINGS, hit, wording, member="how")},
    EventType.LOG_SEARCHED: _search,
    EventType.REPORT_CHANGED: lambda hit, wording: {"step": _word(_REPORT_STEPS, hit, wording)},
    EventType.USE_REVIEWED: lambda hit, wording: {"finding": _word(_FINDINGS, hit, wording)},
}


def full_leaf(hit: Hit) -> dict[str, Any]:
    """The leaf with that of the outcome that completes it."""
    return {"record": hit.leaf} | ({"outcome": hit.outcome.leaf} if hit.outcome else {})
