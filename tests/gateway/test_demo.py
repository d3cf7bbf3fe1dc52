"""
`make demo` shows what its titles say.
"""

from gateway.demo import tour


def test_the_demo_shows_a_whole_answer_a_partial_one_and_a_refusal() -> None:
    """Human resources hangs in the partial answer, and a fresh answer in the cache does not hide it."""
    story = tour.run()

    assert {reply["state"] for reply in replies(story.person)} == {"found"}
    assert [reply["agency"] for reply in replies(story.partial) if reply["state"] == "unavailable"] == [
        "human_resources"
    ]
    assert (story.refusal["rule"], story.identifiers_in_logs) == ("party_not_named", 0)
    assert {"lookup.intent", "lookup.outcome", "lookup.denied"} <= {record["event"]["type"] for record in story.records}


def replies(result: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    """The answers of the agencies."""
    return result["answers"]
