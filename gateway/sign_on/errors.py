"""
Why nobody was recognised.

    NotSignedIn         .rule; the caller must sign in anew or mend the call
    SignOnUnavailable   the sign-on server's keys cannot be had, so nobody can be recognised: fails closed

No text of these errors holds a token or anything that stood in one.
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


class NotSignedIn(Exception):
    """The call's access token breaks a rule, or there is none."""

    def __init__(self, rule: SignInRule) -> None:
        super().__init__(f"not signed in: {rule.value}")
        self.rule = rule


class SignOnUnavailable(Exception):
    """The sign-on server does not answer, or what it answers cannot be trusted."""

    def __init__(self) -> None:
        super().__init__("the sign-on server's keys are not available")
