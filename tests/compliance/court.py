"""
The compliance services of an open hub, its people, and short ways to put records into its log.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from audit.format.event import Actor, AskedQuestion, Event, EventType, PurposeOfUse, QuestionOutcome
from audit.store.search import Query, search_all
from gateway.api.dependencies import member_actor
from gateway.hub import Hub
from gateway.organization.people import Member
from gateway.settings import Settings
from gateway.sign_on import Caller
from schemas.china_time import CHINA
from schemas.codes import AnswerState, IdType, SubjectKind
from schemas.subject import Subject

# A Tuesday afternoon in Quzhou.
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=CHINA)
COURT = "浙0802"


def person(n: int = 1, name: str = "钱多多") -> Subject:
    """A synthetic person."""
    return Subject(kind=SubjectKind.PERSON, id_type=IdType.RESIDENT_ID, id_number=f"33080219900101{n:04d}", name=name)


@dataclass(slots=True)
class ComplianceCourt:
    """An open hub; `now` is what its clock says."""

    hub: Hub
    now: datetime

    async def member(self, user: str, court: str = COURT) -> Member:
        """Somebody of the tree."""
        member = await self.hub.members.get(court, user)
        assert member is not None
        return member

    async def acting(self, user: str, court: str = COURT) -> tuple[Member, Actor]:
        """Somebody of the tree, as services want them."""
        member = await self.member(user, court)
        caller = Caller(
            user=user, client="shuniu-pages", court=court, name="某人", unit="", scopes=frozenset(),
            expires_at=0, token_id="t",
        )  # fmt: skip
        return member, member_actor(caller, member)

    async def lookup(
        self, user: str = "li.ting", name: str = "李婷", about: Subject | None = None, **changes: object
    ) -> int:
        """Records a lookup with its outcome; the index of the intent."""
        event = replace(intent(user, name, about or person(), self.now), **changes)
        index = await self.hub.log.append(event)
        await self.hub.log.append(outcome(event))
        return index

    async def denied(self, user: str = "li.ting", name: str = "李婷", rule: str = "party_not_named") -> int:
        """Records a refused lookup."""
        event = intent(user, name, person(9, "赵某"), self.now)
        refused = replace(event, type=EventType.LOOKUP_DENIED, asked=(), outcome="refused", detail={"rule": rule})
        return await self.hub.log.append(refused)

    async def leaves(self, kind: EventType) -> list[dict[str, object]]:
        """What stands in clear in every record of a type, oldest first."""
        pages = list(search_all(self.hub.log.reader, Query(types=(kind,))))
        return [hit.leaf for page in pages for hit in page.hits][::-1]


def intent(user: str, name: str, about: Subject, at: datetime, exchange: UUID | None = None) -> Event:
    """Somebody is about to look up somebody."""
    return Event(
        type=EventType.LOOKUP_INTENT,
        exchange=exchange or uuid4(),
        at=at,
        who=Actor(user=user, name=name, client="shuniu-pages", court=COURT, unit="zj0802-service-1"),
        whose=(about,),
        why=PurposeOfUse(
            work_order="T-1",
            version=1,
            kind="service-of-process",
            case_number="（2026）浙0802民初1877号",
            purpose="service_of_process",
            policy="work-order-holder/1",
            rules=("party_named",),
        ),
        asked=(AskedQuestion(agency="public_security", capability="identity"),),
        outcome="asked",
    )


def outcome(intended: Event, state: AnswerState = AnswerState.FOUND, seconds: float = 0.5) -> Event:
    """The end of a lookup."""
    at = intended.at + timedelta(seconds=seconds)
    answered = QuestionOutcome(
        agency="public_security",
        capability="identity",
        state=state,
        records=1,
        asked_at=intended.at + timedelta(seconds=0.1),
        answered_at=at,
        digest="ab" * 32,
    )
    return replace(
        intended,
        type=EventType.LOOKUP_OUTCOME,
        at=at,
        answered=(answered,),
        released=("identity",),
        outcome="released",
    )


@asynccontextmanager
async def start_court(settings: Settings, now: datetime) -> AsyncIterator[ComplianceCourt]:
    """A hub whose compliance clock is the court's `now`."""
    holder: list[ComplianceCourt] = []
    async with await Hub.start(settings, clock=lambda: holder[0].now if holder else now) as hub:
        holder.append(ComplianceCourt(hub=hub, now=now))
        yield holder[0]
