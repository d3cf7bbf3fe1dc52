"""
The errors of authentication.

    NotSignedIn         .rule; the caller must sign in again or correct the call
    SignInFailed        .rule; a person came back from the sign-on server, and no session was made
    NotFromOurPages     .rule; a call by session that our own pages did not make: nothing was done
    SignOnUnavailable   the sign-on server's keys are not available, so no caller can be authenticated: fails closed

No text of these errors holds a token, a cookie or a part of one.
"""

from schemas.codes import Code


class SignInRule(Code):
    """The rules that a call's access token can break."""

    MISSING = "missing", "请求未携带访问令牌", "The call carries no access token"
    MALFORMED = "malformed", "访问令牌格式不正确", "The access token is not well-formed"
    EXPIRED = "expired", "访问令牌已过期", "The access token has expired"
    NOT_YET_VALID = "not_yet_valid", "访问令牌尚未生效", "The access token is not valid yet"
    WRONG_ISSUER = "wrong_issuer", "访问令牌不是本院统一登录签发", "The access token is of another issuer"
    WRONG_AUDIENCE = "wrong_audience", "访问令牌不是签发给本系统的", "The access token is meant for another system"
    BAD_SIGNATURE = "bad_signature", "访问令牌签名无效", "The access token's signature is not valid"
    ALGORITHM_NOT_ALLOWED = (
        "algorithm_not_allowed",
        "访问令牌的签名算法不被接受",
        "The access token's algorithm is not accepted",
    )
    WRONG_TYPE = "wrong_type", "所携带的不是访问令牌", "The token is not an access token"
    CLAIM_MISSING = "claim_missing", "访问令牌缺少必需的声明", "The access token lacks a required claim"
    NOT_BOUND = "not_bound", "该客户端的令牌必须绑定证书", "This client's tokens must be bound to its certificate"
    WRONG_CERTIFICATE = (
        "wrong_certificate",
        "令牌绑定的证书未在本连接出示",
        "The connection does not show the certificate to which the access token is bound",
    )
    TWO_CALLERS = (
        "two_callers",
        "请求同时携带访问令牌和会话",
        "The call carries an access token and a session; it must carry one of them",
    )
    NO_SESSION = "no_session", "请求未携带会话", "The call belongs to no session"
    SESSION_OVER = "session_over", "会话已结束", "The session is over"
    SESSION_MOVED = (
        "session_moved",
        "会话在另一网络地址出现，已终止",
        "The session turned up at another network address and was ended",
    )


class SignInStep(Code):
    """
    The rules at which a sign-in can fail; each states who can help and the next step.
    """

    NOT_BEGUN_HERE = (
        "sign_in_not_begun_here",
        "此次登录不是由本浏览器发起，或已使用、已超时。请重新登录。",
        "This sign-in was not begun in this browser, was used before, or took too long. Sign in anew.",
    )
    REFUSED_THERE = (
        "sign_in_refused",
        "统一登录未完成登录。请重新登录；仍不成功的，请联系统一登录管理员。",
        "The sign-on server did not complete the sign-in. Sign in anew; if it fails again, ask the sign-on "
        "administrator.",
    )
    OTHER_ISSUER = (
        "sign_in_of_another_issuer",
        "答复并非来自本院统一登录。请勿继续，并告知系统管理员。",
        "The answer does not come from the court's sign-on server. Do not go on, and tell the system administrator.",
    )
    NOT_TRUSTED = (
        "sign_in_not_trusted",
        "统一登录的答复未通过核验。请将时间告知统一登录管理员。",
        "The answer of the sign-on server did not stand up to the checks. Tell the sign-on administrator the time.",
    )
    TOO_WEAK = (
        "sign_in_too_weak",
        "本次登录的认证强度不足。请使用证书（UKey）等规定方式重新登录；没有的，请联系统一登录管理员。",
        "The way of signing in was too weak. Sign in anew by the prescribed means (a certificate token); if you have "
        "none, ask the sign-on administrator.",
    )
    TOO_OLD = (
        "sign_in_too_old",
        "距上次身份认证时间过长。请在统一登录退出后重新登录；仍出现的，请统一登录管理员支持 max_age。",
        "You authenticated too long ago. Sign out at the sign-on server and sign in anew; if this comes again, ask the "
        "sign-on administrator to honour max_age.",
    )
    WRONG_ADDRESS = (
        "sign_in_address_unknown",
        "本系统未设置对外地址，不能在此地址登录。请系统管理员设置 SHUNIU_PUBLIC_ADDRESS。",
        "The hub does not know its public address, so people cannot sign in at this one. Ask the system "
        "administrator to set SHUNIU_PUBLIC_ADDRESS.",
    )


class OriginRule(Code):
    """The rules against forged calls from other sites."""

    CROSS_SITE = (
        "cross_site",
        "请求来自其他网站。请从本系统页面操作；如页面由代理转发，请系统管理员核对 SHUNIU_PUBLIC_ADDRESS。",
        "The call comes from another site. Use the hub's own pages; if they are behind a proxy, ask the system "
        "administrator to check SHUNIU_PUBLIC_ADDRESS.",
    )
    CSRF_TOKEN = (
        "csrf_token",
        "请求未携带本会话的防伪令牌。请刷新页面后重试。",
        "The call does not carry this session's token against forged requests. Reload the page and try again.",
    )


class NotSignedIn(Exception):
    """The call's access token breaks a rule, or there is none."""

    def __init__(self, rule: SignInRule) -> None:
        super().__init__(f"not signed in: {rule.value}")
        self.rule = rule


class SignInFailed(Exception):
    """A sign-in failed by this rule; `because` is the rule that one of the tokens broke, if that was the reason."""

    def __init__(self, rule: SignInStep, because: SignInRule | None = None) -> None:
        super().__init__(f"sign-in failed: {rule.value}")
        self.rule = rule
        self.because = because


class NotFromOurPages(Exception):
    """An unsafe call by session that our own pages did not make."""

    def __init__(self, rule: OriginRule) -> None:
        super().__init__(f"not from our pages: {rule.value}")
        self.rule = rule


class SignOnUnavailable(Exception):
    """The sign-on server does not answer, or what it answers cannot be trusted."""

    def __init__(self) -> None:
        super().__init__("the sign-on server's keys are not available")
