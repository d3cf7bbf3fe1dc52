"""
One sentence for each record of the log, in Chinese and in English.

    李婷 looked up 王•••••• (3308••••••••••1239) at Public security for (2026)浙0802…号: found.

A type without a sentence of its own is told by its label, so that no record is left out.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from audit.format.event import EventType
from audit.store.search import Hit
from gateway.compliance.phrases import Wording, actor, agency_answers, asked_agencies, case_label, parties, rule_text
from schemas.work_order import WorkOrderStatus


def sentence(hit: Hit, speech: Wording) -> str:
    """One record as one sentence, without its time."""
    text = _SAID.get(hit.type, _by_its_type)(hit, speech)
    return text + speech.either("。", ".")


def _lookup(hit: Hit, speech: Wording) -> str:
    who, whom, where = actor(hit, speech), parties(hit, speech), asked_agencies(hit, speech)
    to, at = (f"向{where}", f" at {where}") if where else ("", "")
    return speech.either(
        f"{who}{_for(hit, speech)}{to}查询{whom}：{_end(hit, speech)}",
        f"{who} looked up {whom}{at}{_for(hit, speech)}: {_end(hit, speech)}",
    )


def _end(hit: Hit, speech: Wording) -> str:
    done = hit.outcome
    if done is None:
        return speech.either("尚无结果", "no outcome yet")
    leaf = done.leaf
    if leaf.get("outcome") == "withheld":
        because = rule_text(str(leaf.get("detail", {}).get("rule", "")), speech)
        return speech.either(f"结果未交付（{because}）", f"the answer was withheld ({because})")
    return _heard(leaf, speech)


def _heard(leaf: Mapping[str, Any], speech: Wording) -> str:
    if "reused" in leaf.get("detail", {}) and not leaf.get("heard"):
        return speech.either("采用此前已得的答复，未再向单位查询", "answered from what was there already")
    return agency_answers(leaf, speech) or speech.either("未向任何单位查询", "no agency was asked")


def _outcome(hit: Hit, speech: Wording) -> str:
    answers = _heard(hit.leaf, speech)
    return speech.either(f"一次查询有了结果：{answers}", f"A lookup has its outcome: {answers}")


def _denied(hit: Hit, speech: Wording) -> str:
    because = rule_text(str(hit.leaf.get("detail", {}).get("rule", "")), speech)
    who, whom = actor(hit, speech), parties(hit, speech)
    return speech.either(
        f"{who}{_for(hit, speech)}查询{whom}被拒：{because}",
        f"{who} was refused a lookup of {whom}{_for(hit, speech)}: {because}",
    )


def _read_again(hit: Hit, speech: Wording) -> str:
    who, whom = actor(hit, speech), parties(hit, speech)
    return speech.either(
        f"{who}{_for(hit, speech)}再次查阅{whom}的已存结果",
        f"{who} read the stored answer about {whom} again{_for(hit, speech)}",
    )


def _revealed(hit: Hit, speech: Wording) -> str:
    who, whom = actor(hit, speech), parties(hit, speech)
    what = speech.listed([str(name) for name in hit.leaf.get("released", ())])
    return speech.either(
        f"{who}{_for(hit, speech)}查看了{whom}的完整字段（{what}）",
        f"{who} had fields of {whom} shown in full{_for(hit, speech)} ({what})",
    )


def _printed(hit: Hit, speech: Wording) -> str:
    who, whom = actor(hit, speech), parties(hit, speech)
    return speech.either(
        f"{who}{_for(hit, speech)}打印了{whom}的查询记录",
        f"{who} printed the record of a lookup of {whom}{_for(hit, speech)}",
    )


def _work_order(hit: Hit, speech: Wording) -> str:
    detail, who = hit.leaf.get("detail", {}), actor(hit, speech)
    state = _word(_ORDER_STATES, str(hit.leaf.get("outcome", "")), speech)
    glass = speech.either("【应急查询】", "Emergency access: ") if detail.get("exception") else ""
    count = detail.get("parties")
    whom = "" if count is None else speech.either(f"，共{count}名当事人", f", {count} parties")
    return glass + speech.either(
        f"{who}{_for(hit, speech)}的工单状态变为{state}{whom}",
        f"{who} made a work order {state}{_for(hit, speech)}{whom}",
    )


def _signed_in(hit: Hit, speech: Wording) -> str:
    return speech.either(f"{actor(hit, speech)}登录", f"{actor(hit, speech)} signed in")


def _signed_out(hit: Hit, speech: Wording) -> str:
    how = _word(_ENDINGS, str(hit.leaf.get("detail", {}).get("how", "")), speech)
    return speech.either(f"{actor(hit, speech)}的会话结束：{how}", f"The session of {actor(hit, speech)} ended: {how}")


def _refused(hit: Hit, speech: Wording) -> str:
    detail = hit.leaf.get("detail", {})
    because = rule_text(str(detail.get("rule", "")), speech)
    if "count" in detail:
        return speech.either(
            f"{detail['count']}次无法识别身份的请求被拒：{because}",
            f"{detail['count']} calls of unrecognised callers were refused: {because}",
        )
    return speech.either(f"{actor(hit, speech)}的请求被拒：{because}", f"{actor(hit, speech)} was refused: {because}")


def _searched(hit: Hit, speech: Wording) -> str:
    who, whom = actor(hit, speech), parties(hit, speech)
    about = speech.either(f"（查{whom}）", f" for {whom}") if whom else ""
    names = str(hit.leaf.get("detail", {}).get("filters", "")).replace(",", speech.either("、", ", "))
    return speech.either(
        f"{who}检索了日志{about}：{names or '全部'}", f"{who} searched the log{about}: {names or 'all'}"
    )


def _exported(hit: Hit, speech: Wording) -> str:
    what = str(hit.leaf.get("detail", {}).get("format", ""))
    return speech.either(
        f"{actor(hit, speech)}导出了日志记录（{what}）", f"{actor(hit, speech)} exported records ({what})"
    )


def _erased(hit: Hit, speech: Wording) -> str:
    ground = str(hit.leaf.get("detail", {}).get("ground", ""))
    return speech.either(f"销毁了一个人的密钥或到期内容（{ground}）", f"Sealed values were destroyed ({ground})")


def _orphan(hit: Hit, speech: Wording) -> str:
    place = hit.leaf.get("detail", {}).get("intent", "")
    return speech.either(f"补结了第{place}条没有结果的查询意向", f"Intent {place}, which had no outcome, was closed")


def _anchored(hit: Hit, speech: Wording) -> str:
    detail = hit.leaf.get("detail", {})
    size, name = detail.get("size", ""), detail.get("name", "")
    return speech.either(
        f"{size}条记录的检查点已由{name}锚定", f"The checkpoint of {size} records was anchored by {name}"
    )


def _administered(hit: Hit, speech: Wording) -> str:
    detail, who = hit.leaf.get("detail", {}), actor(hit, speech)
    units, people = detail.get("units", 0), detail.get("people", 0)
    return speech.either(
        f"{who}变更了管理设置（单位{units}个，人员{people}人）",
        f"{who} changed the administration ({units} units, {people} people)",
    )


def _report(hit: Hit, speech: Wording) -> str:
    who, whom = actor(hit, speech), parties(hit, speech)
    done = _word(_REPORT_STEPS, str(hit.leaf.get("outcome", "")), speech)
    return speech.either(f"{who}{done}告知{whom}的查询报告", f"{who} {done} the report to {whom} of who looked them up")


def _use_reviewed(hit: Hit, speech: Wording) -> str:
    outcome = _word(_FINDINGS, str(hit.leaf.get("outcome", "")), speech)
    return speech.either(
        f"{actor(hit, speech)}核查了一例使用情况：{outcome}", f"{actor(hit, speech)} reviewed a use: {outcome}"
    )


def _by_its_type(hit: Hit, speech: Wording) -> str:
    whom = parties(hit, speech)
    called = speech.either(hit.type.zh, hit.type.en)
    return actor(hit, speech) + speech.either(f"：{called}", f": {called}") + (f" ({whom})" if whom else "")


def _for(hit: Hit, speech: Wording) -> str:
    case = case_label(hit, speech)
    return speech.either(f"为{case}", f" for {case}") if case else ""


def _word(words: Mapping[str, tuple[str, str]], word: str, speech: Wording) -> str:
    return speech.either(*words.get(word, (word, word)))


_SAID: Final[Mapping[EventType, Callable[[Hit, Wording], str]]] = {
    EventType.LOOKUP_INTENT: _lookup,
    EventType.LOOKUP_OUTCOME: _outcome,
    EventType.LOOKUP_DENIED: _denied,
    EventType.RESULT_READ: _read_again,
    EventType.FIELD_REVEALED: _revealed,
    EventType.RECORD_PRINTED: _printed,
    EventType.WORK_ORDER_CHANGED: _work_order,
    EventType.SESSION_SIGNED_IN: _signed_in,
    EventType.SESSION_ENDED: _signed_out,
    EventType.ACCESS_REFUSED: _refused,
    EventType.LOG_SEARCHED: _searched,
    EventType.LOG_EXPORTED: _exported,
    EventType.LOG_ERASED: _erased,
    EventType.LOG_ORPHAN_CLOSED: _orphan,
    EventType.LOG_ANCHORED: _anchored,
    EventType.ADMIN_CHANGED: _administered,
    EventType.REPORT_CHANGED: _report,
    EventType.USE_REVIEWED: _use_reviewed,
}

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


def full_leaf(hit: Hit) -> dict[str, Any]:
    """The leaf with that of the outcome that completes it."""
    return {"record": hit.leaf} | ({"outcome": hit.outcome.leaf} if hit.outcome else {})
