"""
The rules that can refuse a lookup.  Each states who can change that, and the next step.

Their values are the ids of the policies in `policies/access.cedar`.  A refusal names the first that applies, in this
order: rules about the caller come before those about the work order, so that a caller learns of a work order that is
not theirs only that they do not hold it.
"""

from schemas.codes import Code


class AccessRule(Code):
    """One rule of access."""

    NOT_A_MEMBER = (
        "not_a_member",
        "您未列入本院组织架构，或账号已停用。请联系本院系统管理员登记。",
        "You are not entered in the court's tree, or your account is not active. "
        "Ask your court's system administrator to enter you.",
    )
    SEPARATED_ROLE = (
        "separated_role",
        "系统管理员、安全管理员、审计管理员不得查询当事人。请由工单承办人查询。",
        "System, security and audit administrators make no lookups. Leave the lookup to the holder of the work order.",
    )
    NO_BUSINESS_ROLE = (
        "no_business_role",
        "您在组织架构中没有办案角色。请联系本院安全管理员授予角色。",
        "You have no role in the court's tree that works on cases. Ask your court's security administrator for one.",
    )
    REFUSED_TOO_OFTEN = (
        "refused_too_often",
        "您近一小时内被拒查询过多，查询已暂停。请核对工单所列当事人，一小时后再查；急需的，请联系本院安全管理员。",
        "Too many of your lookups were refused within the hour, so lookups are paused. Check the parties of your "
        "work orders and ask again after an hour, or speak to your court's security administrator.",
    )
    NOT_HELD = (
        "work_order_not_held",
        "工单不存在，或不由您承办。请在工单系统核对工单编号；确需查询的，由组长将工单转派给您。",
        "No work order of this number is held by you. Check the number in the ticket system; "
        "if the task is yours, ask your group leader to transfer it to you.",
    )
    NOT_OPEN = (
        "work_order_not_open",
        "工单已办结或中止，不再授予查询权。确需继续查询的，由工单系统重开工单。",
        "The work order is closed or suspended and grants nothing any more. If the task goes on, "
        "have it reopened in the ticket system.",
    )
    NOT_RECORDED = (
        "work_order_not_recorded",
        "工单变更尚未记入审计日志。请由工单系统重新推送该工单。",
        "The last change of the work order is not in the audit log yet. Have the ticket system state it again.",
    )
    NOT_BEGUN = (
        "grant_not_begun",
        "查询权尚未开始。请在授权起始时间之后查询。",
        "The right to ask has not begun yet. Ask again once it has.",
    )
    ENDED = (
        "grant_ended",
        "该类工单的查询期限已满。确需继续查询的，由工单系统重开工单。",
        "The time for which this kind of work order grants lookups is over. If the task goes on, "
        "have it reopened in the ticket system.",
    )
    SECOND_PERSON_MISSING = (
        "second_person_missing",
        "此类工单须由另一人确认后方可查询。请由组长或审判人员确认。",
        "This kind of work order needs the confirmation of a second person. "
        "Ask your group leader or a judge to give it.",
    )
    PARTY_NOT_NAMED = (
        "party_not_named",
        "该工单未列明此当事人。如当事人有误或遗漏，请在工单系统更正后再查询。",
        "The work order does not name this party. If a party is missing or misspelt, "
        "have it corrected in the ticket system first.",
    )
    NAME_DIFFERS = (
        "party_name_differs",
        "所填姓名或名称与工单所列当事人不一致。请核对，或不填姓名由工单带出。",
        "The name differs from the party's name in the work order. Check it, or leave it out: "
        "the work order supplies it.",
    )
    NOT_GRANTED = (
        "lookup_not_granted",
        "此类工单不包含所选的查询内容。请去掉该项查询；确需的，由工单系统派发相应种类的工单。",
        "This kind of work order does not grant every lookup that was asked for. Leave that one out, "
        "or have a work order of the right kind dispatched.",
    )
    USED_UP = (
        "questions_used_up",
        "对该当事人的查询次数已用完。请查阅已存结果；确需再查的，由工单系统重开工单。",
        "The questions about this party are used up. Read the stored result, "
        "or have the work order reopened in the ticket system.",
    )
