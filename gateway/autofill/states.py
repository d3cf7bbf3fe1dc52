"""
The closed lists of autofill: states of a request, states of a field, reasons for an end without a form.
"""

from datetime import timedelta
from typing import Final

from gateway.access.rules import AccessRule
from schemas.codes import AnswerState, Code


class RequestState(Code):
    """The state of a request.  `ready` to `running` are in progress, the others final; `filled` until its delivery."""

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
        """Whether agencies may still be asked for this request."""
        return self in GOING_ON


GOING_ON: Final = frozenset({RequestState.READY, RequestState.DELAYED, RequestState.QUEUED, RequestState.RUNNING})


class FieldState(Code):
    """The state of one field of a form.  Only `filled` has a value that may go into the form without review."""

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
        """Whether a person must choose before the field can be filled."""
        return self in {FieldState.CONFLICT, FieldState.SEVERAL, FieldState.LEAD_ONLY, FieldState.AMBIGUOUS}


class FormEnding(Code):
    """The reason why a request was cancelled or dead-lettered, other than rules of access or of callbacks."""

    WORK_ORDER_CLOSED = "work_order_closed", "工单已办结", "The work order was closed"
    WORK_ORDER_SUSPENDED = "work_order_suspended", "工单已中止", "The work order was suspended"
    WORK_ORDER_TRANSFERRED = "work_order_transferred", "工单已转派", "The work order was transferred"
    WORK_ORDER_CHANGED = "work_order_changed", "工单已变更", "A newer version of the work order replaced it"
    TAKEN_BACK = "taken_back", "已由工单系统撤回", "The ticket system took it back"
    STARTED_TOO_OFTEN = "started_too_often", "多次启动未完成", "It was begun several times and never came to an end"
    TEMPLATE_GONE = "template_gone", "表单模板已不存在", "This version knows no form of this name"


# Answers that do not change by waiting: a question that has one of them is not repeated.
FINAL: Final = frozenset(
    {
        AnswerState.FOUND,
        AnswerState.NOT_FOUND,
        AnswerState.AMBIGUOUS,
        AnswerState.REFUSED,
        AnswerState.NOT_ASKED,
    }
)

# Refusals that may be lifted soon, with the time after which to try again.
PASSING: Final = {
    AccessRule.NOT_RECORDED: timedelta(seconds=0.5),
    AccessRule.NOT_BEGUN: timedelta(seconds=30),
    AccessRule.SECOND_PERSON_MISSING: timedelta(minutes=1),
    AccessRule.REFUSED_TOO_OFTEN: timedelta(minutes=10),
}

# Refusals that concern a single party: the form of the others is filled.
OF_ONE_PARTY: Final = frozenset({AccessRule.USED_UP, AccessRule.PARTY_NOT_NAMED, AccessRule.NAME_DIFFERS})
