"""
Case numbers, as a specification: the form since 2016, the one before it, and what is neither.
"""

import pytest

from schemas.identifiers import (
    CaseNumber,
    IdentifierError,
    IdentifierRule,
    IdentifierWarning,
    OldCaseNumber,
    parse_case_number,
)

COURT, TYPE = IdentifierWarning.COURT_UNKNOWN, IdentifierWarning.CASE_TYPE_UNKNOWN


def _case(court: str, case_type: str, number: int, mark: str | None = None, suffix: str | None = None) -> CaseNumber:
    return CaseNumber(
        year=2024, court=court, mark=mark, type=case_type, number=number, suffix=suffix, as_written="anything"
    )


@pytest.mark.parametrize(
    ("text", "case_number", "value"),
    [
        ("（2024）浙0802民初123号", _case("浙0802", "民初", 123), "(2024)浙0802民初123号"),
        ("( 2024 ) 浙0802民初 123号", _case("浙0802", "民初", 123), "(2024)浙0802民初123号"),
        ("（２０２４）浙0802民初123号", _case("浙0802", "民初", 123), "(2024)浙0802民初123号"),
        ("〔2024〕浙0802民初123号", _case("浙0802", "民初", 123), "(2024)浙0802民初123号"),
        ("[2024]浙０８０２民初１２３号", _case("浙0802", "民初", 123), "(2024)浙0802民初123号"),
        ("［2024］\u3000浙0802\u200b民初123号\n", _case("浙0802", "民初", 123), "(2024)浙0802民初123号"),
        ("(2024)浙08知民初7号", _case("浙08", "民初", 7, mark="知"), "(2024)浙08知民初7号"),
        ("（2024）浙0802诉前调55号", _case("浙0802", "诉前调", 55), "(2024)浙0802诉前调55号"),
        ("（2024）浙0802执恢12号", _case("浙0802", "执恢", 12), "(2024)浙0802执恢12号"),
        ("（2024）浙8601民初3号", _case("浙8601", "民初", 3), "(2024)浙8601民初3号"),
        ("（2024）最高法民申1号", _case("最高法", "民申", 1), "(2024)最高法民申1号"),
        ("（2024）最高法知民终1号", _case("最高法", "民终", 1, mark="知"), "(2024)最高法知民终1号"),
        ("（2024）浙民终9号", _case("浙", "民终", 9), "(2024)浙民终9号"),
        (
            "（2024）浙0802民初123号之一",
            _case("浙0802", "民初", 123, suffix="之一"),
            "(2024)浙0802民初123号之一",
        ),
    ],
)
def test_a_case_number_is_read_into_its_parts(text: str, case_number: CaseNumber, value: str) -> None:
    """Brackets, digits and spaces of every width come to one normalized form; the text is kept."""
    read = parse_case_number(text)

    assert read == case_number
    assert (read.value, read.as_written) == (value, text)


def test_a_document_of_a_case_is_the_same_case() -> None:
    """之一 names a document: it is shown, and stripped for comparing."""
    plain, document = map(parse_case_number, ["（2024）浙0802民初123号", "(2024)浙0802民初123号之十二"])

    assert plain != document
    assert plain.case == document.case == "(2024)浙0802民初123号"


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("（2024）港0802民初1号", (COURT,)),
        ("（2024）浙0802民某1号", (TYPE,)),
        ("（2024）浙08知1号", (TYPE,)),
        ("（2024）民初1号", (COURT, TYPE)),
    ],
)
def test_an_unknown_court_or_type_raises_a_doubt(text: str, warnings: tuple[IdentifierWarning, ...]) -> None:
    """Neither list is closed by law: a new type of case must not stop a clerk."""
    assert parse_case_number(text).warnings == warnings


def test_a_case_number_before_2016_is_a_type_of_its_own() -> None:
    """It is kept as written, doubted, and never swallowed as a court and a type ending in 字第."""
    old = parse_case_number("（2011）宁执字第00003号")

    assert old == OldCaseNumber(year=2011, words="宁执", number=3, value="", as_written="")
    assert (old.value, old.case) == ("(2011)宁执字第00003号", "(2011)宁执字第3号")
    assert old.warnings == (IdentifierWarning.OLD_CASE_NUMBER,)


@pytest.mark.parametrize("text", ["〔2011〕宁执字第3号", "(2011) 宁执字第0003号", "（2011）宁执字第00003号之二"])
def test_an_old_case_number_is_compared_without_its_zeros(text: str) -> None:
    """Archives pad as they like; the case is the same."""
    assert parse_case_number(text).case == "(2011)宁执字第3号"


@pytest.mark.parametrize("text", ["（1998）衢中民终字第12号", "（2015）衢柯商初字第1234号"])
def test_an_old_case_number_may_be_of_any_year_before_2016(text: str) -> None:
    """Files are older than the form."""
    assert parse_case_number(text).warnings == (IdentifierWarning.OLD_CASE_NUMBER,)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("（2024）浙0802民初0123号", IdentifierRule.CASE_NUMBER_NUMBER),
        ("（2024）浙0802民初0号", IdentifierRule.CASE_NUMBER_NUMBER),
        ("（2024）浙0802民初号", IdentifierRule.CASE_NUMBER_NUMBER),
        ("（2024）浙0802民初1", IdentifierRule.CASE_NUMBER_NUMBER),
        ("（2024）浙0802民初1号附件", IdentifierRule.CASE_NUMBER_NUMBER),
        ("（2024）浙0802民初1234567890号", IdentifierRule.CASE_NUMBER_NUMBER),
        ("（2024）浙080民初1号", IdentifierRule.CASE_NUMBER_COURT),
        ("（2024）浙08021民初1号", IdentifierRule.CASE_NUMBER_COURT),
        ("（2024）0802民初1号", IdentifierRule.CASE_NUMBER_COURT),
        ("（2024）", IdentifierRule.CASE_NUMBER_COURT),
        ("（2024）浙0802民初字第1号", IdentifierRule.CASE_NUMBER_TYPE),
        ("（2016）浙执字第1号", IdentifierRule.CASE_NUMBER_TYPE),
        ("（2011）宁执字第000号", IdentifierRule.CASE_NUMBER_TYPE),
        ("（2024）浙0802一二三四五1号", IdentifierRule.CASE_NUMBER_TYPE),
        ("（2024）浙08021号", IdentifierRule.CASE_NUMBER_COURT),
        ("（2024）最高法1号", IdentifierRule.CASE_NUMBER_TYPE),
        ("2024浙0802民初1号", IdentifierRule.CASE_NUMBER_YEAR),
        ("（24）浙0802民初1号", IdentifierRule.CASE_NUMBER_YEAR),
        ("（1999）浙0802民初1号", IdentifierRule.CASE_NUMBER_YEAR),
        ("（２０２四）浙0802民初1号", IdentifierRule.CASE_NUMBER_YEAR),
        ("", IdentifierRule.CASE_NUMBER_YEAR),
    ],
)
def test_a_case_number_is_refused_by_the_first_part_that_is_wrong(text: str, rule: IdentifierRule) -> None:
    """Year, court, type, number: the clerk is told where to look."""
    with pytest.raises(IdentifierError) as refusal:
        parse_case_number(text)

    assert refusal.value.rule is rule
