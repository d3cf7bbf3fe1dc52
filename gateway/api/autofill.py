"""
Autofill over HTTP: a ticket system requests the filled form of a work order, follows its progress, and cancels it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, TypeAdapter

from gateway.api.dependencies import Signed, TheHub, json_body, ndjson_body
from gateway.api.idempotency import PATTERN, IdempotencyKey, key_of, refuse
from gateway.api.lookups import release_after_sending
from gateway.api.ndjson import OPENAPI_ANSWER, OPENAPI_BODY, Batch
from gateway.api.problems import Problem, documented
from gateway.api.validation_errors import RequestModel, invalid
from gateway.api.work_orders import require_scope
from gateway.autofill.delivery import Shown, WithheldForm
from gateway.autofill.idempotency import Key, KeyInUse, KeyReused
from gateway.autofill.intake import AcceptRule, FormRequest, RequestRejected
from gateway.autofill.queue import Backlog
from gateway.autofill.result import FilledForm
from gateway.autofill.states import RequestState
from gateway.autofill.store import StoredRequest
from gateway.hub import Hub
from gateway.sign_on import Caller
from schemas.work_order import WORK_ORDER_ID, Word

PATH: Final = "/v1/autofill"
COMMON: Final = (
    "not-signed-in",
    "not-permitted",
    "sign-on-unavailable",
    "database-unavailable",
    "draining",
    "internal",
)

router = APIRouter(prefix=PATH, tags=["autofill"])


def _each_once(parties: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(parties)) < len(parties):
        raise ValueError("each party may be named once")
    return parties


class AutofillRequest(RequestModel):
    """
    A request for a form: work order, parties (numbered from 1; default all), deadline, and the client's receiver of the
    callback (default its preferred one).
    """

    work_order: Annotated[str, StringConstraints(pattern=WORK_ORDER_ID)]
    template: Word | None = None
    parties: (
        Annotated[
            tuple[Annotated[int, Field(ge=1, le=200)], ...],
            Field(min_length=1, max_length=200, json_schema_extra={"uniqueItems": True}),
            AfterValidator(_each_once),
        ]
        | None
    ) = None
    deadline: AwareDatetime | None = None
    callback: Word | None = None

    def form_request(self, caller: Caller) -> FormRequest:
        """The request in the terms of the autofill service."""
        return FormRequest(
            court=caller.court,
            client=caller.client,
            work_order=self.work_order,
            template=self.template,
            parties=self.parties or (),
            deadline=self.deadline,
            receiver=self.callback,
        )


class AutofillLine(AutofillRequest):
    """A request as one line of a batch; `key` does for the line what `Idempotency-Key` does for a call."""

    key: Annotated[str, StringConstraints(pattern=PATTERN)] | None = None

    def request(self) -> AutofillRequest:
        """The request as `POST /v1/autofill` takes it."""
        return AutofillRequest.model_validate(self.model_dump(exclude={"key"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The number of questions to agencies, and of those with a final answer."""

    questions: int
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AutofillStatus:
    """
    The state of a request.  `next_at` is the time of the next question; `result` is the form, as far as it is filled;
    `withheld` is the rule by which it is not released.
    """

    id: UUID
    work_order: str
    version: int
    template: str
    state: RequestState
    reason: str | None
    created_at: datetime
    deadline: datetime
    next_at: datetime | None
    ended_at: datetime | None
    callback: str | None
    progress: Progress
    replayed: bool = False
    withheld: str | None = None
    result: FilledForm | None = field(default=None, repr=False)


_STATUS: Final = TypeAdapter(AutofillStatus)


@router.post(
    "",
    operation_id="autofill",
    status_code=202,
    dependencies=[Depends(json_body)],
    response_model=AutofillStatus,
    responses=documented(
        *COMMON, "key-in-use", "body-too-large", "wrong-content-type", "invalid-input", "key-reused", "busy"
    ),
)
async def autofill(
    body: AutofillRequest, caller: Signed, hub: TheHub, idempotency_key: IdempotencyKey = None
) -> Response:
    """
    Accepts the request for a work order's whole form.  It is filled in the background, then a callback is sent.

    Repeating a call with the same `Idempotency-Key` and body gives the same request; nothing is asked twice.
    """
    require_scope(caller)
    key = key_of(hub.encryption, caller, idempotency_key, "autofill", body.model_dump_json().encode())
    status = await accept(hub, caller, body, key)
    headers = {"Location": f"{PATH}/{status.id}", "Cache-Control": "no-store"}
    return Response(_STATUS.dump_json(status), 202, headers, "application/json")


@router.post(
    "/batches",
    operation_id="autofill_batch",
    dependencies=[Depends(ndjson_body)],
    response_class=Response,
    openapi_extra=OPENAPI_BODY,
    responses={200: OPENAPI_ANSWER, **documented(*COMMON, "body-too-large", "wrong-content-type", "busy")},
)
async def autofill_batch(request: Request, caller: Signed, hub: TheHub) -> Response:
    """
    Asks for up to 10,000 forms, a JSON object in each line: the body of `POST /v1/autofill`, and a `key` if it may be
    sent again.  Answers come in the order of the lines, as soon as each is accepted.

    A line or a body that is too large ends the batch with a last line; the lines before it stand.
    """
    require_scope(caller)

    async def answer(line: AutofillLine) -> dict[str, Any]:
        body = line.request()
        key = key_of(hub.encryption, caller, line.key, "autofill", body.model_dump_json().encode())
        status = await accept(hub, caller, body, key)
        members: dict[str, Any] = _STATUS.dump_python(status, mode="json", exclude={"result", "withheld"})
        return members

    return Batch(AutofillLine, answer, key=lambda line: line.key).respond(request)


async def accept(hub: Hub, caller: Caller, body: AutofillRequest, key: Key | None) -> AutofillStatus:
    """
    Accepts one request of a client that has the scope.  Raises `Problem`, `DatabaseUnavailable`.
    """
    refusal: RequestRejected | KeyInUse | KeyReused
    try:
        request, replayed = await hub.autofill.accept(body.form_request(caller), key)
        return status_of(request, replayed=replayed)
    except (RequestRejected, KeyInUse, KeyReused) as error:
        refusal = error
    if not isinstance(refusal, RequestRejected):
        refuse(refusal)
    rule = refusal.rule
    if rule is AcceptRule.NOT_OPEN:
        raise Problem("not-permitted", rule=rule.value, en=rule.en, zh=rule.zh)
    raise invalid(refusal.field, rule.value, rule.en, rule.zh)


@router.get("", operation_id="autofill_backlog", responses=documented(*COMMON))
async def autofill_backlog(caller: Signed, hub: TheHub) -> Backlog:
    """
    The number of requests that wait for a worker or an agency, over all courts of this hub.
    """
    require_scope(caller)
    return await hub.autofill.backlog()


@router.get(
    "/{autofill_id:uuid}",
    operation_id="read_autofill",
    response_model=AutofillStatus,
    responses={
        304: {"description": "nothing has changed since the `ETag` in `If-None-Match`"},
        **documented(*COMMON, "not-found", "audit-unavailable", "invalid-input"),
    },
)
async def read_autofill(
    autofill_id: UUID, caller: Signed, hub: TheHub, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """
    The state of a request, with its form as far as it is filled while the work order is open.

    Every answer with a form is a release: the right is checked, and the release is recorded.
    """
    request = await hub.autofill.find(caller, autofill_id)
    headers = {"ETag": f'"{request.revision}"', "Cache-Control": "no-store"}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    shown = await hub.autofill.show(caller, request)
    body = _STATUS.dump_json(status_of(request, shown=shown), warnings=False)
    background = release_after_sending(*shown.leases) if isinstance(shown, Shown) else None
    return Response(body, 200, headers, "application/json", background)


@router.delete(
    "/{autofill_id:uuid}",
    operation_id="cancel_autofill",
    response_model=AutofillStatus,
    responses=documented(*COMMON, "not-found", "invalid-input"),
)
async def cancel_autofill(autofill_id: UUID, caller: Signed, hub: TheHub) -> Response:
    """
    Cancels a request: no more questions and no callback.  Without effect on one that has ended.
    """
    require_scope(caller)
    request = await hub.autofill.take_back(caller, autofill_id)
    return Response(_STATUS.dump_json(status_of(request)), 200, {"Cache-Control": "no-store"}, "application/json")


def status_of(
    request: StoredRequest, *, replayed: bool = False, shown: Shown | WithheldForm | None = None
) -> AutofillStatus:
    """A request as the API shows it."""
    return AutofillStatus(
        id=request.id,
        work_order=request.work_order,
        version=request.version,
        template=request.template,
        state=request.state,
        reason=request.reason,
        created_at=request.created_at,
        deadline=request.deadline,
        next_at=request.next_at,
        ended_at=request.ended_at,
        callback=request.receiver,
        progress=Progress(
            questions=len(request.questions), answered=sum(question.settled for question in request.questions)
        ),
        replayed=replayed,
        withheld=shown.rule.value if isinstance(shown, WithheldForm) else None,
        result=shown.form if isinstance(shown, Shown) else None,
    )
