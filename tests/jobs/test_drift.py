"""A shape that was never seen is told once, by whichever process, and all that came of it is counted."""

from jobs import drift
from schemas.names import Provider
from store import answer_shapes
from store.answer_shapes import AnswerShape
from tests.support.job_scenario import JobScenario

SHAPE = AnswerShape(Provider("iacrea"), "s1", 200, "application/json", "{}", "working", "1", 10.0, 10.0, 1)


def test_a_shape_is_new_once_and_counted_always(desk: JobScenario) -> None:
    assert desk.do(drift.learn, [SHAPE, SHAPE]) == [SHAPE]
    again = SHAPE._replace(first_at=20.0, last_at=20.0, read_as="doubtful", release="2")
    assert desk.do(drift.learn, [again]) == []
    [kept] = desk.do(answer_shapes.listed)
    assert (kept.seen, kept.first_at, kept.last_at, kept.read_as, kept.release) == (3, 10.0, 20.0, "working", "1")


def test_what_a_provider_makes_up_has_a_bound(desk: JobScenario) -> None:
    many = [SHAPE._replace(shape=f"s{number}") for number in range(drift.MOST_SHAPES + 20)]
    assert len(desk.do(drift.learn, many)) == drift.MOST_SHAPES
    other = SHAPE._replace(provider=Provider("homedesigns"))
    assert desk.do(drift.learn, [other, many[-1], many[0]]) == [other]


def test_what_a_new_release_documents_is_forgotten(desk: JobScenario) -> None:
    desk.do(drift.learn, [SHAPE, SHAPE._replace(shape="s2")])
    assert desk.do(drift.forget, [(SHAPE.provider, "s1")]) == 1
    assert [row.shape for row in desk.do(answer_shapes.listed)] == ["s2"]
