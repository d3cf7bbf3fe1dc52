"""
Closed lists of autofill: where a request stands, how a field of its form stands, and why it ended otherwise.
"""

from datetime import timedelta
from typing import Final

from gateway.access.rules import AccessRule
from schemas.codes import AnswerState, Code


class RequestState(Code):
    """Where a request stands.  `ready` to `running` are on their way; the others are ends, `filled` until delivery."""

    READY = "ready", "待处理", "Waiting for its turn"
    DELAYED = "delayed", "等待单位恢复", "Waiting until an agency can be asked again"
    QUEUED = "queued", "已排队", "Handed to a worker"
    RUNNING = "running", "处理中", "Being filled"
    FILLED = "filled", "已填写", "Filled with what could be had"
    DELIVERED = "delivered", "已送达", "Filled, and taken by the receiver"
    CANCELLED = "cancelled", "已取消", "Cancelled: its right ended, or it was taken back"
    DEAD_LETTERED = "dead_lettered", "已搁置", "Could not be filled or sent"

    @property
    def going_on(self) -> bool:
        """Whether agencies may still be asked for it."""
        return self in GOING_ON


GOING_ON: Final = frozenset({RequestState.READY, RequestState.DELAYED, RequestState.QUEUED, RequestState.RUNNING})


class FieldState(Code):
    """How one field of a form stands.  Only `filled` carries a value that may go into the form unseen."""

    FILLED = "filled", "已填", "Filled"
    CONFLICT = "conflict", "来源不一致，须人工确认", "Sources disagree: a person decides"
    SEVERAL = "several", "有多项，须人工选择", "There are several: a person chooses"
    LEAD_ONLY = "lead_only", "仅有线索，不可直接用于送达", "Leads only, not usable for service"
    AMBIGUOUS = "ambiguous", "查到多个对象，待人工确认", "More than one match: a person decides who it is"
    NOT_HELD = "not_held", "各单位均无此项", "Every agency was heard and none holds it"
    PENDING = "pending", "待答复", "Not yet answered"
    UNAVAILABLE = "unavailable", "暂不可用", "An agency could not be heard in time"
    REFUSED = "refused", "无权查询", "An agency does not permit the question"
    NOT_ASKED = "not_asked", "未查询", "No agency could be asked this about the party"
    NOT_GRANTED = "not_granted", "工单不授予此项", "The work order does not grant it"

    @property
    def for_a_person(self) -> bool:
        """Whether there is something that a person must look at before the field can be filled."""
        return self in {FieldState.CONFLICT, FieldState.SEVERAL, FieldState.LEAD_ONLY, FieldState.AMBIGUOUS}


class FormEnding(Code):
    """Why a request was cancelled or laid aside, where it is not a rule of access or of callbacks."""

    WORK_ORDER_CLOSED = "work_order_closed", "工单已办结", "The work order was closed"
    WORK_ORDER_SUSPENDED = "work_order_suspended", "工单已中止", "The work order was suspended"
    WORK_ORDER_TRANSFERRED = "work_order_transferred", "工单已转派", "The work order was transferred"
    WORK_ORDER_CHANGED = "work_order_changed", "工单已变更", "A newer version of the work order replaced it"
    TAKEN_BACK = "taken_back", "已由工单系统撤回", "The ticket system took it back"
    STARTED_TOO_OFTEN = "started_too_often", "多次启动未完成", "It was begun several times and never came to an end"
    TEMPLATE_GONE = "template_gone", "表单模板已不存在", "This version knows no form of this name"


# Answers that will be the same tomorrow: a question that has one of them is never asked again.
FINAL: Final = frozenset(
    {
        AnswerState.FOUND,
        AnswerState.NOT_FOUND,
        AnswerState.AMBIGUOUS,
        AnswerState.REFUSED,
        AnswerState.NOT_ASKED,
    }
)

# Refusals that pass by themselves, or that somebody is about to lift, and when to look again.
PASSING: Final = {
    AccessRule.NOT_RECORDED: timedelta(seconds=0.5),
    AccessRule.NOT_BEGUN: timedelta(seconds=30),
    AccessRule.SECOND_PERSON_MISSING: timedelta(minutes=1),
    AccessRule.REFUSED_TOO_OFTEN: timedelta(minutes=10),
}

# Refusals that concern one party alone: the others are filled all the same.
OF_ONE_PARTY: Final = frozenset({AccessRule.USED_UP, AccessRule.PARTY_NOT_NAMED, AccessRule.NAME_DIFFERS})
