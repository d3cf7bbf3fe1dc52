"""
Answers of each agency about the cast: its own part of the facts, sometimes an older one.
"""

from typing import Any

import pytest
from lxml import etree

from mock_agencies.exchange import MockResponse
from mock_agencies.population import (
    UNKNOWN_ORGANIZATION,
    UNKNOWN_PERSON,
    Population,
    SyntheticOrganization,
    SyntheticPerson,
)

MOVED = "33080219900307005X"


def person(population: Population, role: str) -> SyntheticPerson:
    """A person of the cast."""
    party = population.cast[role]
    assert isinstance(party, SyntheticPerson)
    return party


def package(answer: MockResponse) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Head and records of the population base's reply."""
    out = etree.fromstring(answer.body).find(".//{*}out")
    assert out is not None
    root = etree.fromstring((out.text or "").encode())
    head, records = root.find("PACKAGEHEAD"), root.findall("DATA/RECORD")
    assert head is not None
    return (
        {str(leaf.tag): leaf.text or "" for leaf in head},
        [{str(leaf.tag): leaf.text or "" for leaf in record} for record in records],
    )


def table(answer: MockResponse) -> list[list[str]]:
    """All rows of the request service's reply."""
    return [[cell.text or "" for cell in row] for row in etree.fromstring(answer.body).iter("Row")]


def result_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the national relay."""
    rows: list[dict[str, Any]] = answer["data"]["data"]["cxjg"]
    return rows


def test_population_base_answers_without_an_address(court: Any) -> None:
    """Number and name match; the facts come without an address; the reference repeats the request's number."""
    head, records = package(court.identity(MOVED, "沈知溪"))

    assert records == [
        {
            "GMSFHM": MOVED, "GMSFHM_PPDDM": "1", "XM": "沈知溪", "XM_PPDDM": "1", "SWBS": "0", "XBDM": "1",
            "CSRQ": "19900307", "MZDM": "01", "CSD_GJHDQDM": "156", "CSD_SSXQDM": "330802",
        }
    ]  # fmt: skip
    assert (head["FHDM"], head["FFQQBH"]) == ("10", "11111111-2222-3333-4444-555555555555")


@pytest.mark.parametrize("space", ["http://webservice.com/", "http://webservice.tongtech.com/"])
def test_population_base_replies_in_the_namespace_of_the_question(court: Any, space: str) -> None:
    """The reply stands in the namespace of the question."""
    answer = court.identity(MOVED, "沈知溪", namespace=space)

    assert etree.fromstring(answer.body).find(f".//{{{space}}}out") is not None


def test_a_wrong_name_is_answered_without_facts(court: Any) -> None:
    """A wrong name is said to be wrong, and no fact comes with it."""
    _, records = package(court.identity(MOVED, "沈知河"))

    assert records == [{"GMSFHM": MOVED, "GMSFHM_PPDDM": "1", "XM": "沈知河", "XM_PPDDM": "0"}]


def test_a_deceased_person_is_flagged_by_the_population_base(court: Any, population: Population) -> None:
    """`SWBS` is 1."""
    deceased = person(population, "deceased")

    assert package(court.identity(deceased.id_number, deceased.name))[1][0]["SWBS"] == "1"


def test_an_unknown_number_is_answered_with_no_record(court: Any) -> None:
    """Every agency answers its own form of "no record" and no error."""
    head, records = package(court.identity(UNKNOWN_PERSON, "沈知溪"))

    assert (head["FHDM"], records) == ("11", [])
    assert len(table(court.addresses(UNKNOWN_PERSON))) == 2
    assert court.participation(UNKNOWN_PERSON, "沈知溪")["datas"] == []
    assert result_rows(court.positions(UNKNOWN_PERSON, "沈知溪")) == []
    assert result_rows(court.registration(UNKNOWN_ORGANIZATION)) == []


def test_addresses_of_a_mover_are_household_and_residence(court: Any) -> None:
    """The old household and the new registered residence, in the columns that were asked for."""
    assert table(court.addresses(MOVED)) == [
        ["000", "成功"],
        ["GMSFHM", "XM", "SWBS", "ZZXZ", "QTZZXZ", "QTZZLX"],
        [
            MOVED,
            "沈知溪",
            "0",
            "浙江省衢州市柯城区荷花街道示范一路12号3幢201室",
            "浙江省衢州市衢江区樟潭街道样例大街88号5幢602室",
            "1",
        ],
    ]


def test_household_register_has_former_name_and_flags(court: Any, population: Population) -> None:
    """Former name, military flag, place of custody."""
    renamed, soldier, prisoner = (person(population, role) for role in ("renamed", "soldier", "in_custody"))

    assert table(court.addresses(renamed.id_number, RequiredItems="XM,CYM"))[2] == ["葛若棠", "葛招娣"]
    assert table(court.addresses(soldier.id_number, RequiredItems="BYQK"))[2] == ["1"]
    assert table(court.addresses(prisoner.id_number, RequiredItems="QTZZLX,FWCS"))[2] == ["9", "示例看守所（在押）"]


def test_a_doubled_number_is_two_rows_without_a_name_and_one_with_it(court: Any, population: Population) -> None:
    """The police have both; the population base picks the one of the name that was asked."""
    number = person(population, "doubled_number").id_number

    assert [row[1] for row in table(court.addresses(number))[2:]] == ["唐书禾", "曹映舟"]
    assert [record["XM"] for record in package(court.identity(number, "曹映舟"))[1]] == ["曹映舟"]
    assert [record["XM"] for record in package(court.identity(number, None))[1]] == ["唐书禾", "曹映舟"]


def test_participation_has_ended_and_active_jobs_and_an_old_address(court: Any) -> None:
    """Dates are numbers, the contact address is of 2013, wage and ethnicity come uninvited."""
    rows = court.participation(MOVED, "沈知溪")["datas"]

    assert [(row["AAE140"], row["AAC031"], row["AAB004"]) for row in rows] == [
        ("110", "3", "衢州沃石机械制造有限公司"),
        ("110", "1", "衢州衡川商贸有限公司"),
        ("310", "1", "衢州衡川商贸有限公司"),
        ("410", "1", "衢州衡川商贸有限公司"),
    ]
    assert {(row["AAE006"], row["AAE036"], row["AAC006"]) for row in rows} == {
        ("浙江省江山市虎山街道拟名路7号1幢101室", 20130701, 19900307)
    }
    assert all({"AAC040", "AAE180", "AAC005"} <= row.keys() for row in rows)


@pytest.mark.parametrize("style", ["form", "query", "headers"])
@pytest.mark.parametrize(
    "path",
    [
        "/gateway/api/001003085/dataSharing/socialPersonalParticipationInfo.htm",
        "/gateway/api/socialPersonalParticipationInfo.htm",
    ],
)
def test_gateway_accepts_both_styles_and_the_old_path(court: Any, style: str, path: str) -> None:
    """Form, query, and headers with a JSON body are one question."""
    assert len(court.participation(MOVED, "沈知溪", style=style, path=path)["datas"]) == 4


def test_an_old_number_is_known_to_human_resources_only(court: Any, population: Population) -> None:
    """Human resources know the holder by the old number only, the police by the new one only."""
    holder = person(population, "old_and_new_number")

    assert court.participation("330802900307123", holder.name)["datas"] != []
    assert court.participation(holder.id_number, holder.name)["datas"] == []
    assert len(table(court.addresses(holder.id_number))) == 3
    assert len(table(court.addresses("330802900307123"))) == 2


def test_registry_dates_are_midnight_in_china(court: Any) -> None:
    """The whole row of an ordinary company; founded on 2015-06-18 in China."""
    assert result_rows(court.registration("91330802DEM000014A")) == [
        {
            "uniscid": "91330802DEM000014A", "regno": "330800000000017", "entname": "衢州衡川商贸有限公司",
            "enttypeCn": "有限责任公司(自然人投资或控股)", "name": "沈知溪",
            "dom": "浙江省衢州市柯城区信安街道虚构东路168号", "proloc": "浙江省龙游县东华街道模拟南街66号",
            "postalcode": "324000", "tel": "0570-0169024", "regstateCn": "存续（在营、开业、在册）",
            "regorgCn": "衢州市柯城区市场监督管理局", "sExtNodenum": "330000", "estdate": 1434556800000,
            "apprdate": 1673193600000, "opfrom": 1434556800000, "opto": None, "regcap": 60.0,
            "regcapcurCn": "人民币", "opscope": "环保科技；依法须经批准的项目，经相关部门批准后方可开展经营活动",
            "clsflag": "0", "clsfrom": None, "clsto": None, "clsaddr": None, "clsrecipient": None, "fgnflag": "0",
            "svcrecipient": None,
            "svcaddr": None, "svctel": None, "abnflag": "0", "abnreason": None,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("company_deregistered", {"regstateCn": "注销"}),
        ("company_revoked", {"regstateCn": "吊销，未注销"}),
        ("company_revoked_deregistered", {"regstateCn": "吊销,已注销"}),
        ("company_rescinded", {"regstateCn": "撤销"}),
        ("company_moved_out", {"regstateCn": "迁出"}),
        ("company_other_state", {"regstateCn": "其他"}),
        ("company_suspended", {"clsflag": "1", "clsto": 1835366400000, "clsrecipient": "范景禾"}),
        ("company_abnormal", {"abnflag": "1", "abnreason": "通过登记的住所（经营场所）无法联系"}),
        ("company_foreign", {"fgnflag": "1", "svcrecipient": "金秋帆", "svctel": "0570-0123456"}),
        ("company_without_code", {"uniscid": None, "regno": "330802000000016"}),
        ("sole_trader", {"enttypeCn": "个体工商户"}),
        ("company_renamed", {"name": "葛招娣"}),
    ],
)
def test_registry_shows_state_and_flags_of_special_organizations(
    court: Any, population: Population, role: str, expected: dict[str, Any]
) -> None:
    """Each special organization shows what makes it special; one representative stands under her old name."""
    organization = population.cast[role]
    assert isinstance(organization, SyntheticOrganization)
    [row] = result_rows(court.registration(organization.uscc or organization.registration_number or ""))

    assert {leaf: row[leaf] for leaf in expected} == expected


@pytest.mark.parametrize("role", ["law_firm", "village_cooperative", "institution", "association"])
def test_organizations_of_other_registries_are_not_found(court: Any, population: Population, role: str) -> None:
    """A law firm or a village cooperative is no record here."""
    organization = population.cast[role]
    assert isinstance(organization, SyntheticOrganization)

    assert result_rows(court.registration(organization.uscc or "")) == []


def test_positions_do_not_repeat_the_person(court: Any) -> None:
    """Organization, code, title and state, and nothing about who was asked."""
    assert result_rows(court.positions(MOVED, "沈知溪")) == [
        {
            "uniscid": "91330802DEM000014A",
            "entname": "衢州衡川商贸有限公司",
            "position": "法定代表人",
            "regstateCn": "存续（在营、开业、在册）",
        }
    ]


def test_precomputed_answers_repeat_the_same_bytes(population: Population, court: Any) -> None:
    """With `precomputed`, a question is written once; the signature is still checked each time."""
    from mock_agencies import market_regulation

    court.agencies = {"market_regulation": market_regulation.create(population, court.clock, precomputed=True)}
    first, second = court.registration("91330802DEM000014A"), court.registration("91330802DEM000014A")
    refused = court.registration("91330802DEM000014A", sign="AAAA")

    assert first == second
    assert (refused["code"], court.verdict("market_regulation")) == (300, "bad_signature")
