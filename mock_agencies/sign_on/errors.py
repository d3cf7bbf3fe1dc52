"""
The OAuth errors of this server (RFC 6749, sections 4.1.2.1 and 5.2).
"""


class OAuthError(Exception):
    """A request is refused with an OAuth error code; the text is for the developer of the client."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status

    def members(self) -> dict[str, str]:
        """The error as the protocol spells it."""
        return {"error": self.error, "error_description": self.description}
