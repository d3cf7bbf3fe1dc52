"""
The county variant of the gateway, seen at a county-level city: two steps in JSON with the secrets in clear, and then
business calls with `appkey`, its k small, in the query.
"""

from typing import ClassVar

from mock_agencies.exchange import MockRequest, MockResponse
from mock_agencies.faults.script import ArmedFault
from mock_agencies.human_resources.gateway import (
    BAD_PARAMETERS,
    BAD_SIGNATURE,
    OK,
    IrsGateway,
    envelope,
    refused,
    written,
)
from mock_agencies.human_resources.lookups import ParticipationLookup
from mock_agencies.operation import Operation


class CountyRefreshSecret(Operation):
    """Step 1 (spelled so): appKey and appSecret for a refresh secret and the time that step 2 sends back."""

    name: ClassVar[str] = "county_refresh_secret"
    paths: ClassVar[tuple[str, ...]] = ("/appsecert",)

    def __init__(self, gate: IrsGateway) -> None:
        self.gate = gate

    def answer(self, request: MockRequest, armed: ArmedFault | None) -> MockResponse:  # noqa: ARG002
        body = _asked(request, self.gate)
        issued = self.gate.issue_refresh_secret(body.get("appSecret", ""))
        return _reply({"refreshSecret": issued.refresh, "requestTime": str(self.gate.clock.now_ms())})


class CountyRequestSecret(Operation):
    """Step 2: the refresh secret, and the time of step 1, for a request secret."""

    name: ClassVar[str] = "county_request_secret"
    paths: ClassVar[tuple[str, ...]] = ("/interfaceSecurity",)

    def __init__(self, gate: IrsGateway) -> None:
        self.gate = gate

    def answer(self, request: MockRequest, armed: ArmedFault | None) -> MockResponse:  # noqa: ARG002
        body = _asked(request, self.gate)
        if not body.get("requestTime"):
            raise refused("missing_parameter", BAD_PARAMETERS)
        return _reply({"requestSecret": self.gate.issue_request_secret(body.get("refreshSecret", "")).request})


class CountyParticipationLookup(ParticipationLookup):
    """The same question on the county's own path; the signature is assumed to be the province's."""

    name: ClassVar[str] = "county_participation"
    paths: ClassVar[tuple[str, ...]] = ("/dataSharing/socialPersonalParticipationInfo",)

    def parameters(self, request: MockRequest) -> dict[str, str]:
        given = request.parameters()
        return {**given, "appKey": given.get("appkey", "")}


def _asked(request: MockRequest, gate: IrsGateway) -> dict[str, str]:
    body = request.texts()
    if body is None:
        raise refused("body", BAD_PARAMETERS)
    if body.get("appKey") != gate.app_key:
        raise refused("unknown_app_key", BAD_SIGNATURE)
    return body


def _reply(data: dict[str, str]) -> MockResponse:
    return MockResponse(written({**envelope(OK, ""), "data": data}).encode())
