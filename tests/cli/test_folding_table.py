"""
Tables of the command line: no word is broken, and no line is wider than the terminal.
"""

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gateway.cli.folding_table import FoldingTable

WORDS = st.text("abcdefghij_.", min_size=1, max_size=24)
CELLS = st.lists(WORDS, max_size=5).map(" ".join)


def lines_of(table: FoldingTable, width: int) -> list[str]:
    """The table as a terminal of this width shows it."""
    console = Console(width=width, no_color=True, highlight=False)
    with console.capture() as captured:
        console.print(table)
    return captured.get().splitlines()


def test_columns_that_do_not_fit_are_stacked() -> None:
    """Adjacent ones, in the header too, with an empty line between rows."""
    table = FoldingTable("agency", "state", "asked again")
    table.add_row("public_security", "unavailable", "2026-12-01")
    table.add_row("human_resources", "found", "2026-12-02")

    assert [line.rstrip() for line in lines_of(table, 80)] == [
        "agency           state        asked again",
        "public_security  unavailable  2026-12-01",
        "human_resources  found        2026-12-02",
    ]
    assert [line.rstrip() for line in lines_of(table, 30)] == [
        "agency           asked again",
        "state",
        "",
        "public_security  2026-12-01",
        "unavailable",
        "",
        "human_resources  2026-12-02",
        "found",
    ]


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), max_size=4), width=st.integers(24, 120))
def test_words_stay_whole_and_lines_fit_whatever_the_cells_hold(rows: list[tuple[str, ...]], width: int) -> None:
    """Every word of every cell stands whole in one line, within the width."""
    table = FoldingTable("first", "second", "third", "fourth", "fifth")
    for row in rows:
        table.add_row(*row)

    lines = lines_of(table, width)

    assert max(map(len, lines)) <= width
    words = sorted(word for line in lines for word in line.split())
    header = ["first", "second", "third", "fourth", "fifth"]
    assert words == sorted([*header, *(word for row in rows for cell in row for word in cell.split())])


def test_text_without_spaces_may_break_between_chinese_characters() -> None:
    """As Chinese text does everywhere."""
    table = FoldingTable("zh")
    table.add_row("浙江省衢州市柯城区人民法院")

    assert [line.rstrip() for line in lines_of(table, 14)] == ["zh", "浙江省衢州市柯", "城区人民法院"]
