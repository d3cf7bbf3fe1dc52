"""
Closed lists of the callbacks: how a delivery ends and why, and by which rules a receiver is refused.
"""

from schemas.codes import Code


class DeliveryState(Code):
    """Where a delivery stands.  Only `waiting` goes on."""

    WAITING = "waiting", "待送达", "Waiting"
    DELIVERED = "delivered", "已送达", "Delivered"
    CANCELLED = "cancelled", "已取消", "Cancelled: the right to it had ended"
    DEAD_LETTERED = "dead_lettered", "无法送达", "Given up"


class Failure(Code):
    """Why one attempt failed; the last one's is the reason of a dead letter."""

    UNREACHABLE = "unreachable", "无法连接", "No connection, or the name is not known"
    TLS_FAILED = "tls_failed", "证书校验失败", "The receiver's certificate is not trusted"
    TIMED_OUT = "timed_out", "超时未答复", "The receiver did not answer in time"
    BROKEN_OFF = "broken_off", "连接中断", "The connection broke off"
    REFUSED = "refused", "接收方拒收（4xx）", "The receiver refused it (4xx)"
    FAILED = "failed", "接收方出错（5xx）", "The receiver failed (5xx)"
    REDIRECTED = "redirected", "接收方要求转向（不予跟随）", "The receiver redirects, which is not followed"
    GONE = "gone", "接收方声明已停用（410）", "The receiver says that it is gone (410); it is paused"
    ADDRESS_FORBIDDEN = "address_forbidden", "地址不允许", "The name leads to an address that is not allowed"
    RECEIVER_REMOVED = "receiver_removed", "接收方已注销", "The receiver was removed"
    OVERDUE = "overdue", "已过期限", "The deadline passed before an attempt could be made"
    UNREADABLE = "unreadable", "密封内容无法打开", "The kept body does not open; the hub's key or row was changed"
    UNKNOWN_TYPE = "unknown_type", "本版本不认识的事件", "This version knows no event of this type"
    INTERNAL = "internal", "枢纽内部错误", "The hub failed in a way that it does not know"
    LEASE_LOST = "lease_lost", "送达中查询权核验中断", "The right could not be held while it was being sent"


class ReceiverState(Code):
    """Whether a receiver is sent anything."""

    ACTIVE = "active", "启用", "Active"
    PAUSED = "paused", "暂停", "Paused by an administrator"
    GONE = "gone", "对方已停用", "Paused: it answered 410 Gone"
    REMOVED = "removed", "已注销", "Removed"


class CallbackRule(Code):
    """Why a receiver, or a change of one, is refused."""

    ADMINISTRATORS_ONLY = (
        "callbacks_by_system_administrator",
        "只有本院系统管理员可以登记或变更回调接收方。请联系该管理员。",
        "Only the system administrator of the court registers or changes receivers of callbacks. Ask that person.",
    )
    URL_FORM = (
        "receiver_url_form",
        "接收地址须为完整的 https 地址，不含用户名、查询参数和片段；仅在登记为内部地址时可对本机使用 http。",
        "A receiver's address is a whole https URL without user, query and fragment; http is for a loopback address "
        "that is registered as internal, and for no other.",
    )
    ADDRESS_FORBIDDEN = (
        "receiver_address_forbidden",
        "该地址在内部网络或本机。确需向内部系统回调的，由系统管理员以 internal = true 登记该主机。",
        "This host is inside the house or on this machine. If callbacks go to a system inside, the system "
        "administrator registers exactly this host with `internal` true.",
    )
    ADDRESS_NEVER = (
        "receiver_address_never",
        "该地址不能作为接收方（组播、未指定或云元数据地址）。请改用接收系统自己的地址。",
        "No receiver lives at such an address (multicast, unspecified, or a cloud's metadata). Name the address of "
        "the receiving system itself.",
    )
    UNKNOWN_RECEIVER = (
        "receiver_unknown",
        "该客户端没有此名称的回调接收方。请核对名称，或请本院系统管理员登记。",
        "This client has no receiver of this name. Check the name, or ask the system administrator of your court to "
        "register it.",
    )
    OTHER_CLIENT = (
        "receiver_of_other_client",
        "此名称已用于另一客户端的接收方。请换一个名称。",
        "The receiver of this name belongs to another client. Take another name.",
    )
