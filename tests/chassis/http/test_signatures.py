"""A signature is parser, validator and documentation; what cannot be served is said at start, not later."""

from typing import Annotated, Any

import pytest
from aiohttp import web
from pydantic import BaseModel

from chassis.http import PUBLIC, Answer, Body, Header, Invalid, Problem, Routes, Unusable, View, build_application
from chassis.http.answers import responder
from chassis.http.application import compile_routes
from chassis.sql import Tx
from tests.chassis.http.sample import authenticate
from tests.chassis.http.shapes import Caller, May, Place


class Shown(View):
    """What is shown."""

    name: str


class Lax(BaseModel):
    """A model that ignores what it does not know."""

    name: str


class Outer(Body):
    """Strict outside, lax inside."""

    inner: list[Lax] | None = None


async def taking_nothing() -> None:
    """Nothing in, nothing out."""


async def saying_nothing(number: int):  # type: ignore[no-untyped-def]
    """Does not say what it returns."""


async def lost_path() -> None:
    """The path names something it does not take."""


async def unknown_type(number: int, thing: dict[str, int]) -> None:
    """Wants something nobody gives."""


async def caller_of_nobody(number: int, caller: Caller) -> None:
    """A caller at a door for everybody."""


async def lax_body(number: int, body: Lax) -> None:
    """A body that would swallow misspelt fields."""


async def lax_query(number: int, query: Lax) -> None:
    """A query that would."""


async def lax_inside(number: int, body: Outer) -> None:
    """The same, deeper."""


def compile_one(handler: Any, needs: Any = PUBLIC, path: str = "/things/{number}", **options: Any) -> Any:
    """The plan of one route."""
    routes = Routes("things")
    routes.get(path, needs=needs, **options)(handler)
    return compile_routes([routes], Caller, {})[0]


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (saying_nothing, "what it returns"),
        (lost_path, "number"),
        (unknown_type, "thing: dict"),
        (caller_of_nobody, "caller:"),
        (lax_body, "Lax is sent by callers"),
        (lax_query, "Lax is sent by callers"),
        (lax_inside, "Lax is sent by callers"),
    ],
)
def test_a_handler_that_cannot_be_served_does_not_start_and_says_why(handler: Any, said: str) -> None:
    with pytest.raises(Unusable, match=said):
        compile_one(handler)


@pytest.mark.parametrize("options", [{}, {"needs": None}, {"needs": "read"}, {"needs": True}])
def test_a_route_that_does_not_say_who_may_is_not_even_imported(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="needs"):
        Routes("things").get("/things", **options)


def test_a_misspelt_option_is_refused() -> None:
    with pytest.raises(TypeError, match="stepup"):
        Routes("things").get("/things", needs=May.READ, stepup=False)  # type: ignore[call-arg]


async def test_the_decorator_returns_the_function_unchanged() -> None:
    assert Routes("things").get("/things", needs=PUBLIC)(taking_nothing) is taking_nothing


def test_two_doors_of_one_address_or_two_handlers_of_one_name_are_refused() -> None:
    routes = Routes("things")
    routes.get("/things", needs=PUBLIC)(taking_nothing)
    routes.get("/others", needs=PUBLIC)(taking_nothing)
    with pytest.raises(TypeError, match="declared twice: taking_nothing"):
        compile_routes([routes], Caller, {})


def test_a_transaction_without_a_database_is_refused_at_start() -> None:
    async def writing(tx: Tx) -> None:
        """Writes."""

    routes = Routes("things")
    routes.get("/things", needs=PUBLIC)(writing)
    with pytest.raises(TypeError, match="has none"):
        build_application(
            name="a", title="a", version="1", routes=[routes], caller_type=Caller, authenticate=authenticate
        )


def test_the_return_annotation_lists_answers_and_problems() -> None:
    class Late(Problem):
        """Too late."""

        status = 410
        detail = "期限を過ぎています。"

    async def mixed(number: int) -> Answer[Shown] | Late | None:
        """All at once."""

    plan = compile_one(mixed)
    assert (plan.problems, plan.statuses, plan.empty_status) == ((Late,), (200,), 204)
    assert compile_one(taking_nothing, path="/things").statuses == (204,)


def test_an_answer_that_was_not_declared_is_a_fault_of_ours() -> None:
    async def showing(number: int) -> Answer[Shown]:
        """Shows."""

    respond = responder(compile_one(showing, status=(200, 202)))
    assert respond(Answer(Shown(name="a"), status=202)).status == 202
    with pytest.raises(TypeError, match="answered 418"):
        respond(Answer(Shown(name="a"), status=418))
    with pytest.raises(TypeError, match="does not say that it would"):
        responder(compile_one(taking_nothing, path="/things"))(Shown(name="a"))


async def test_every_kind_of_argument_is_found_by_name_or_type() -> None:
    async def everything(
        number: int, body: Place, query: Place, request: web.Request, key: Annotated[str, Header("X-Key")], tx: Tx
    ) -> None:
        """Takes all there is."""

    plan = compile_one(everything)
    assert [one.name for one in plan.paths] == ["number"]
    assert [one.header for one in plan.headers] == ["X-Key"]
    assert plan.injected == {"request": web.Request, "tx": Tx}


@pytest.mark.parametrize("missing", ["doc", "status", "detail"])
def test_a_problem_says_its_title_its_status_and_its_detail(missing: str) -> None:
    said = {"__doc__": "It is gone.", "status": 410, "detail": "ありません。"}
    del said["__doc__" if missing == "doc" else missing]
    with pytest.raises(TypeError, match="a problem needs"):
        type("Gone", (Problem,), said)


def test_a_problem_is_named_by_its_class_and_titled_by_its_docstring() -> None:
    class StaleVersion(Problem):
        """The draft was changed meanwhile.

        The caller should read it again.
        """

        status = 412
        detail = "他の操作により変更されています。"

    assert (StaleVersion.type, StaleVersion.title) == ("/problems/stale-version", "The draft was changed meanwhile")


def test_a_handler_can_refuse_a_field_by_itself() -> None:
    problem = Invalid.field("body.email", "unique", "登録済みのメールアドレスです。")
    assert problem.members == {
        "errors": [{"field": "body.email", "rule": "unique", "message": "登録済みのメールアドレスです。"}]
    }
