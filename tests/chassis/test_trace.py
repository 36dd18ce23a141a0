"""One trace id goes through everything that one request causes (W3C Trace Context)."""

import contextvars

import pytest

from chassis import trace

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def test_a_trace_is_continued_under_a_span_of_our_own() -> None:
    ours = trace.use(GIVEN)
    assert ours[:36] == GIVEN[:36]
    assert ours[-3:] == "-00"
    assert ours[36:52] != GIVEN[36:52]
    assert trace.current_traceparent() == ours
    assert trace.current_trace_id() == GIVEN[3:35]


@pytest.mark.parametrize(
    "given",
    [None, "", "00", GIVEN.upper(), GIVEN + "-x", "01" + GIVEN[2:], "00-" + "0" * 32 + GIVEN[35:],
     GIVEN[:36] + "0" * 16 + "-01", GIVEN + "\n"],
)  # fmt: skip
def test_what_is_no_traceparent_begins_a_new_trace(given: str | None) -> None:
    ours = trace.use(given)
    assert len(ours) == len(GIVEN)
    assert given is None or ours[3:35] not in given


def test_a_story_that_nobody_began_begins_itself_once() -> None:
    def inside() -> None:
        assert trace.current_traceparent() == trace.current_traceparent()

    contextvars.Context().run(inside)
