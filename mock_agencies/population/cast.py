"""
The cast: one named party for each special case that the agencies' registers hold.

Numbers are fixed, whatever the seed; they satisfy the arithmetic and were never issued.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from mock_agencies import check_digits
from mock_agencies.population import organizations as orgs
from mock_agencies.population.organizations import ServiceRecipient, Suspension, SyntheticOrganization
from mock_agencies.population.people import SyntheticPerson
from mock_agencies.population.places import SyntheticAddress

UNKNOWN_PERSON: Final = check_digits.resident_number("33080219900307199")
UNKNOWN_ORGANIZATION: Final = check_digits.uscc("91", "330802", "DEM00YYY")

_OLD_HOUSE = SyntheticAddress("浙江省衢州市柯城区荷花街道示范一路12号3幢201室", "330802", "324000")
_NEW_HOUSE = SyntheticAddress("浙江省衢州市衢江区樟潭街道样例大街88号5幢602室", "330803", "324022")
_THIRD_HOUSE = SyntheticAddress("浙江省江山市虎山街道拟名路7号1幢101室", "330881", "324100")
_DETENTION = SyntheticAddress("浙江省衢州市柯城区石梁镇例证街1号（示例看守所）", "330802", "324000")
_OFFICE = SyntheticAddress("浙江省衢州市柯城区信安街道虚构东路168号", "330802", "324000")
_OTHER_OFFICE = SyntheticAddress("浙江省龙游县东华街道模拟南街66号", "330825", "324400")
_RECEIVING_OFFICE = SyntheticAddress("浙江省衢州市柯城区荷花街道假设路9号2楼", "330802", "324000")

_PLAIN: Mapping[str, Any] = {
    "household": _OLD_HOUSE, "household_since": date(2009, 5, 4), "contact": _OLD_HOUSE, "residence": None,
    "residence_since": None, "former_name": None, "deceased": False, "serving": False, "insured": True,
    "employer": None, "previous_employer": None,
}  # fmt: skip

_PERSONS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "moved": (
        "33080219900307005X", "沈知溪",
        {
            "residence": _NEW_HOUSE, "residence_since": date(2024, 3, 18), "residence_kind": "1",
            "contact": _THIRD_HOUSE, "contact_changed": date(2013, 7, 1), "employer": 0, "previous_employer": 1,
        },
    ),
    "stayed": (check_digits.resident_number("33080219850612011"), "范景禾", {"employer": 0}),
    "living_elsewhere": (
        check_digits.resident_number("33088119921103022"), "苏星岚",
        {
            "household": _THIRD_HOUSE,
            "residence": _NEW_HOUSE, "residence_since": date(2025, 2, 1), "residence_kind": "9",
        },
    ),
    "deceased": (check_digits.resident_number("33082219480215013"), "潘怀竹", {"deceased": True, "insured": False}),
    "renamed": (
        check_digits.resident_number("33080219880819016"), "葛若棠",
        {"former_name": "葛招娣", "names_at": (("market_regulation", "葛招娣"),)},
    ),
    "under_14": (
        "330802202001010015", "俞小禾",
        {"household_since": date(2020, 1, 20), "contact_changed": date(2021, 9, 1), "insured": False},
    ),
    "soldier": (check_digits.resident_number("33082420010305015"), "袁凌舟", {"serving": True, "insured": False}),
    "in_custody": (
        check_digits.resident_number("33080219790421017"), "柳子砚",
        {
            "residence": _DETENTION, "residence_since": date(2026, 4, 2), "residence_kind": "9",
            "workplace": "示例看守所（在押）",
        },
    ),
    "doubled_number": (check_digits.resident_number("33082519750903018"), "唐书禾", {}),
    "doubled_number_other": (
        check_digits.resident_number("33082519750903018"), "曹映舟",
        {"household": _THIRD_HOUSE, "contact": _THIRD_HOUSE},
    ),
    "old_and_new_number": (
        "330802199003071239", "何明澄",
        {"numbers_at": (("human_resources", "330802900307123"),)},
    ),
    "foreigner_old_and_new_number": (
        "911840199003071236", "ALEX SAMPLE",
        {"numbers_at": (("human_resources", "USA330000000001"),)},
    ),
    "foreigner": ("911840199003070006", "JAMIE SAMPLE", {}),
    "permit_hong_kong": (
        "810000199003071237", "陳樣本", {"residence": _NEW_HOUSE, "residence_since": date(2022, 9, 1)},
    ),
    "permit_macao": ("820000199003071239", "何樣本", {}),
    "permit_taiwan": ("830000199003071230", "林樣本", {}),
    "born_before_1985_jiangshan": ("332428196001010010", "郑思陌", {"household": _THIRD_HOUSE}),
    "born_on_leap_day": ("330823196002290016", "毛亦初", {"household": _THIRD_HOUSE}),
    "qu_county_number": ("330821196508150026", "汪清芷", {}),
    "district_younger_than_holder": ("330803199003071235", "姜舒原", {}),
    "new_hangzhou_district": ("330113199001010011", "方允霖", {}),
    "newer_hangzhou_district": ("330114199001010018", "金秋帆", {}),
    "centenarian": ("110105189912319976", "孔念珩", {"deceased": True, "insured": False}),
    "region_unknown": ("000000199003070014", "章时洲", {}),
    "not_insured": (check_digits.resident_number("33080319960127019"), "章宛苇", {"insured": False}),
    "job_ended": (
        check_digits.resident_number("33082419830730010"), "邹承枫",
        {"previous_employer": 1, "contact": _THIRD_HOUSE, "contact_changed": date(2011, 2, 9)},
    ),
}  # fmt: skip

_USUAL: Mapping[str, Any] = {
    "registration_number": None, "state_text": orgs.ACTIVE, "registry": "衢州市柯城区市场监督管理局",
    "type_text": orgs.COMPANY, "domicile": _OFFICE, "business_place": None, "term_to": None,
    "founded": date(2015, 6, 18), "approved": date(2023, 1, 9), "abnormal_reason": None,
}  # fmt: skip

_ELSEWHERE: Mapping[str, Any] = {"registered": False}

_ORGANIZATIONS: Mapping[str, tuple[str | None, str, str, Mapping[str, Any]]] = {
    "company_active": (
        "91330802DEM000014A", "衢州衡川商贸有限公司", "moved",
        {"registration_number": "330800000000017", "business_place": _OTHER_OFFICE},
    ),
    "company_deregistered": (
        "91330803DEM000022K", "衢州沃石机械制造有限公司", "stayed", {"state_text": orgs.DEREGISTERED},
    ),
    "company_revoked": ("91330802DEM0000300", "衢州瑞舟物流有限公司", "stayed", {"state_text": orgs.REVOKED}),
    "company_revoked_deregistered": (
        check_digits.uscc("91", "330802", "DEM00020"), "衢州禾田食品有限公司", "stayed",
        {"state_text": "吊销,已注销"},  # some registries write the half-width comma
    ),
    "company_rescinded": (
        check_digits.uscc("91", "330802", "DEM00021"), "衢州澜谷纺织有限公司", "stayed", {"state_text": orgs.RESCINDED},
    ),
    "company_moved_out": (
        check_digits.uscc("91", "330802", "DEM00022"), "衢州砚林电子有限公司", "stayed", {"state_text": orgs.MOVED_OUT},
    ),
    "company_other_state": (
        check_digits.uscc("91", "330802", "DEM00023"), "衢州启桥化工有限公司", "stayed", {"state_text": orgs.OTHER},
    ),
    "company_suspended": (
        "91330800DEM00009X3", "衢州泽渡餐饮管理有限公司", "stayed",
        {"suspension": Suspension(date(2026, 3, 1), date(2028, 2, 29), _RECEIVING_OFFICE, "范景禾")},
    ),
    "company_abnormal": (
        check_digits.uscc("91", "330802", "DEM00024"), "衢州柚仓装饰工程有限公司", "stayed",
        {"abnormal_reason": "通过登记的住所（经营场所）无法联系"},
    ),
    "company_foreign": (
        check_digits.uscc("91", "330800", "DEM00025"), "岚野（衢州）新材料科技有限公司", "foreigner",
        {
            "type_text": "有限责任公司(外国法人独资)",
            "recipient": ServiceRecipient("金秋帆", _RECEIVING_OFFICE, "0570-0123456"),
        },
    ),
    "company_renamed": (
        check_digits.uscc("91", "330802", "DEM00026"), "衢州橙屿文化传播有限公司", "renamed",
        {"former_name": "衢州橙港广告有限公司"},
    ),
    "two_with_one_name": (check_digits.uscc("91", "330802", "DEM00027"), "衢州景泉环保科技有限公司", "stayed", {}),
    "two_with_one_name_other": (
        check_digits.uscc("91", "330825", "DEM00028"), "衢州景泉环保科技有限公司", "job_ended",
        {"domicile": _OTHER_OFFICE, "registry": "龙游县市场监督管理局"},
    ),
    "company_without_code": (
        None, "衢州汇坊五金有限公司", "stayed",
        {"registration_number": "330802000000016", "founded": date(2004, 8, 2), "state_text": orgs.REVOKED},
    ),
    "embedded_check_wrong": ("91330802DEM000015D", "衢州辰峰建筑工程有限公司", "stayed", {}),
    "sole_trader": (
        "92330825DEM000065R", "龙游县拓原小吃店", "stayed",
        {"type_text": orgs.SOLE_TRADER, "registry": "龙游县市场监督管理局", "domicile": _OTHER_OFFICE},
    ),
    "cooperative": (
        "93330825DEM000188P", "龙游县熙谷农产品专业合作社", "stayed",
        {"type_text": orgs.COOPERATIVE, "registry": "龙游县市场监督管理局", "domicile": _OTHER_OFFICE},
    ),
    "village_cooperative": ("N2330803DEM000030X", "衢江区拟真村股份经济合作社", "stayed", _ELSEWHERE),
    "law_firm": ("31330000DEM000161U", "浙江范本律师事务所", "stayed", _ELSEWHERE),
    "institution": ("12330800DEM0000495", "衢州市样例图书馆", "stayed", _ELSEWHERE),
    "state_organ": ("11330800DEM000196R", "衢州市示例局", "stayed", _ELSEWHERE),
    "association": ("52330802DEM000057Q", "柯城区样例服务中心", "stayed", _ELSEWHERE),
    "trade_union": ("81330800DEM00017XP", "衢州市样例工会", "stayed", _ELSEWHERE),
    "military_body": ("A1330800DEM000073F", "样例保障站", "stayed", _ELSEWHERE),
    "other_authority": ("Y1330800DEM000081M", "样例管理处", "stayed", _ELSEWHERE),
}  # fmt: skip

PERSONS: Final = tuple(_PERSONS)
ORGANIZATIONS: Final = tuple(_ORGANIZATIONS)


def people(derive: Callable[[int, str], SyntheticPerson]) -> dict[str, SyntheticPerson]:
    """Casts the persons over what the seed derives for the indexes from 0 and these numbers."""
    return {
        role: replace(derive(index, number), name=name, **{**_PLAIN, **facts})
        for index, (role, (number, name, facts)) in enumerate(_PERSONS.items())
    }


def organizations(derive: Callable[[int, int], SyntheticOrganization]) -> dict[str, SyntheticOrganization]:
    """Casts the organizations over what the seed derives for the indexes from 0 and their representatives."""
    return {
        role: replace(derive(index, PERSONS.index(representative)), uscc=uscc, name=name, **{**_USUAL, **facts})
        for index, (role, (uscc, name, representative, facts)) in enumerate(_ORGANIZATIONS.items())
    }
