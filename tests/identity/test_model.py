"""Whatever happens in whatever order, identity agrees with a small model of the rulings (C-9)."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import aiohttp
import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from chassis.service import Runtime
from chassis.sql import Database, Tx
from identity import access
from tests.identity.administration.firms import PASSWORD, Firm, open_firm
from tests.identity.people import People, Person, new_password
from tests.support import sealing
from tests.support.platform import Platform
from tests.support.scale import CHAOS, scaled

T = TypeVar("T")
WHICH = st.integers(0, 5)
UNLIMITED = {
    "failures_per_source": 1_000_000,
    "one_time_passwords_in_10_minutes": 1_000_000,
    "one_time_passwords_per_day": 1_000_000,
    "email_changes_per_day": 1_000_000,
}
FAILURES = 5
SETTINGS = hypothesis.settings(
    max_examples=scaled(8, 200),
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=not CHAOS,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@dataclass
class World:
    """What the machines, which run in a thread of their own, use of the platform."""

    loop: asyncio.AbstractEventLoop
    platform: Platform
    identity: Runtime
    client: aiohttp.ClientSession
    behind: Database
    people: People


@dataclass
class Seen:
    """A session as the model knows it."""

    person: Person
    restricted: bool
    alive: bool = True
    stepped_up: bool = False
    code: str | None = None
    old_code: str | None = None
    tries: int = 0


@dataclass
class Link:
    """A confirmation link as the model knows it."""

    token: str
    address: str
    state: str = "pending"


@dataclass
class Model:
    """An administrator and an applicant, by the rulings L1, L5, L7 to L9, O1, O2, E1 to E3."""

    temporary: str
    last_temporary: str = ""
    temporary_lives: bool = True
    own: str | None = None
    enabled: bool = True
    failures: int = 0
    one_time_passwords: bool = False
    address: str = "admin@sample.com"
    sessions: list[Seen] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    @property
    def locked(self) -> bool:
        return self.failures >= FAILURES

    def fail(self) -> int:
        """One more wrong password; the status to expect."""
        self.failures = min(self.failures + 1, FAILURES)
        return 403 if self.locked else 401

    def end_sessions(self) -> None:
        for one in self.sessions:
            one.alive = False


class Identity(RuleBasedStateMachine):
    """Every rule does one thing to the service and to the model, and compares what they say."""

    world: ClassVar[World]
    firm: Firm
    model: Model
    user_id: str

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.world.loop).result(60)

    @initialize()
    def begin(self) -> None:
        world = self.world
        self.firm = self.do(open_firm(world.platform, world.identity, world.client, world.behind))
        self.user_id = self.do(self.firm.register())["user_id"]
        self.model = Model(temporary=self.mailed("initial_password", self.user_id))
        self.log_in_with_the_temporary_password()
        self.change_the_password(0)

    def mailed(self, template: str, about: str) -> str:
        return sealing.secret_of(self.do(self.world.people.mails.next(template=template, about_user_id=about)))

    def administer(self, method: str, path: str, body: Any = None) -> Any:
        return self.do(self.firm.ask(method, path, body))

    def change_applicant(self, **values: Any) -> None:
        shown = self.administer("GET", f"/applicants/{self.user_id}").body
        answer = self.administer("PUT", f"/applicants/{self.user_id}", self.firm.change_of(shown, **values))
        assert (answer.status, answer.body["in_force_from"]) == (200, None)

    def change_administrator(self, **values: Any) -> None:
        shown = self.administer("GET", "/administrator").body
        names = ("version", "email", "name", "phone", "department", "title", "one_time_password")
        answer = self.administer("PUT", "/administrator", {name: shown[name] for name in names} | values)
        assert (answer.status, answer.body["in_force_from"]) == (200, None), answer.body

    def execute(self, statement: str, *arguments: object) -> None:
        self.do(self.world.behind.execute(statement, *arguments))

    def try_password(self, password: str, *, right: bool, restricted: bool) -> None:
        """Log in and compare."""
        person, model = Person(self.world.people, self.user_id, password), self.model
        answer = self.do(person.try_login())
        if model.locked:
            assert answer.status == 403
        elif not right or not model.enabled:
            assert answer.status == model.fail()
        else:
            assert answer.status == 201, answer
            model.failures = 0
            if restricted:
                model.end_sessions()
                model.temporary_lives, model.last_temporary = False, password
            self.do(person.keep(answer.body))
            model.sessions.append(Seen(person, restricted))

    @precondition(lambda self: self.model.own is not None)
    @rule()
    def log_in_with_the_own_password(self) -> None:
        self.try_password(self.model.own or "", right=True, restricted=False)

    @precondition(lambda self: self.model.temporary_lives or self.model.own is None)
    @rule()
    def log_in_with_the_temporary_password(self) -> None:
        self.try_password(self.model.temporary, right=self.model.temporary_lives, restricted=True)

    @precondition(lambda self: not self.model.locked)
    @rule(times=st.sampled_from([1, 1, 1, 4, 5]))
    def log_in_with_a_wrong_password(self, times: int) -> None:
        for _ in range(times):
            self.try_password(new_password(), right=False, restricted=False)

    @precondition(lambda self: self.model.failures > 0)
    @rule()
    def the_lock_ends_by_time(self) -> None:
        if self.model.locked:
            self.model.failures = 0
        statement = "update login_attempts set locked_until = now() - interval '1 second'"
        self.execute(f"{statement} where user_id = $1 and locked_until is not null", self.user_id)

    @precondition(lambda self: self.model.temporary_lives)
    @rule()
    def the_temporary_password_expires(self) -> None:
        self.model.temporary_lives = False
        self.execute("update temporary_passwords set expires_at = now() where user_id = $1", self.user_id)

    @rule()
    def reset(self) -> None:
        answer, model = self.administer("POST", f"/applicants/{self.user_id}/password-reset"), self.model
        if not model.enabled:
            assert answer.status == 409
            return
        assert (answer.status, answer.body["in_force_from"]) == (200, None)
        model.end_sessions()
        model.own, model.temporary_lives, model.failures = None, True, 0
        model.temporary = self.mailed("password_reset", self.user_id)

    @rule()
    def switch_the_applicant(self) -> None:
        if self.model.enabled:
            self.model.end_sessions()
        self.model.enabled = not self.model.enabled
        self.change_applicant(enabled=self.model.enabled)

    @rule()
    def switch_one_time_passwords(self) -> None:
        self.model.one_time_passwords = not self.model.one_time_passwords
        self.change_administrator(one_time_password=self.model.one_time_passwords)

    def session(self, which: int) -> Seen:
        """Mostly one that lives."""
        living = [one for one in self.model.sessions if one.alive] if which < 4 else []
        among = living or self.model.sessions
        return among[-1 - which % len(among)]

    def refresh(self, seen: Seen) -> bool:
        """Take a new access token; whether the session lives, and says of itself what the model says."""
        answer = self.do(seen.person.ask("POST", "/access-tokens"))
        assert answer.status == (200 if seen.alive else 401)
        if seen.alive:
            due = self.model.one_time_passwords and not seen.stepped_up
            said = (answer.body["one_time_password_required"], answer.body["password_change_required"])
            assert said == (due, seen.restricted)
            seen.person.access_token = answer.body["access_token"]
        return seen.alive

    @precondition(lambda self: self.model.sessions)
    @rule(which=WHICH)
    def look(self, which: int) -> None:
        seen = self.session(which)
        if not seen.alive:
            assert self.do(seen.person.ask("GET", "/menu")).status == 401, "also the token it had before"
        if not self.refresh(seen):
            return
        gated = seen.restricted or (self.model.one_time_passwords and not seen.stepped_up)
        assert self.do(seen.person.ask("GET", "/me")).status == (403 if seen.restricted else 200)
        answer = self.do(seen.person.ask("GET", "/sessions"))
        assert answer.status == (403 if gated else 200)
        if not gated:
            assert len(answer.body["sessions"]) == sum(one.alive for one in self.model.sessions)

    @precondition(lambda self: self.model.sessions)
    @rule(which=WHICH)
    def log_out(self, which: int) -> None:
        seen = self.session(which)
        answer = self.do(seen.person.ask("DELETE", "/sessions/current"))
        assert (answer.status, answer.body["ended"]) == (200, int(seen.alive))
        seen.alive = False

    @precondition(lambda self: self.model.sessions)
    @rule(which=WHICH)
    def change_the_password(self, which: int) -> None:
        seen, model, new = self.session(which), self.model, new_password()
        if not self.refresh(seen):
            return
        current = model.last_temporary if seen.restricted else model.own
        answer = self.do(seen.person.change_password(new, current))
        gated = not seen.restricted and model.one_time_passwords and not seen.stepped_up
        if gated or (model.locked and not seen.restricted):
            assert answer.status == 403
            return
        assert answer.status == 200, answer
        model.end_sessions()
        model.own, model.failures = new, model.failures if seen.restricted else 0
        person = Person(self.world.people, self.user_id, new)
        self.do(person.keep(answer.body))
        model.sessions.append(Seen(person, restricted=False, stepped_up=seen.stepped_up))

    @precondition(lambda self: self.model.sessions)
    @rule(which=WHICH)
    def issue_a_one_time_password(self, which: int) -> None:
        seen = self.session(which)
        if not self.refresh(seen):
            return
        answer = self.do(seen.person.ask("POST", "/one-time-passwords"))
        assert answer.status == (403 if seen.restricted else 202)
        if not seen.restricted:
            seen.old_code, seen.code, seen.tries = seen.code, self.mailed("one_time_password", self.user_id), 0

    @precondition(lambda self: self.model.sessions)
    @rule(which=WHICH, kind=st.sampled_from(["right", "right", "wrong", "old"]), fresh=st.booleans())
    def enter_a_one_time_password(self, which: int, kind: str, fresh: bool) -> None:
        seen = self.session(which)
        if not self.refresh(seen) or seen.restricted:
            return
        if fresh and seen.code is None:
            self.issue_a_one_time_password(which)
        entered = {"right": seen.code, "wrong": None, "old": seen.old_code}[kind] or "no code"
        answer = self.do(seen.person.ask("POST", "/one-time-passwords/entries", json={"code": entered}))
        if seen.code is None:
            assert answer.status == 409
        elif entered == seen.code:
            assert answer.status == 200
            seen.stepped_up, seen.code = True, None
        else:
            seen.tries += 1
            assert answer.status == (409 if seen.tries == 2 else 403)
            seen.code = None if seen.tries == 2 else seen.code

    @precondition(lambda self: self.model.sessions)
    @rule(which=WHICH)
    def the_one_time_password_lapses(self, which: int) -> None:
        seen = self.session(which)
        seen.code = None
        statement = "update one_time_passwords set expires_at = now() where session_id = $1"
        self.execute(statement, seen.person.session_id)

    @rule()
    def ask_for_another_address(self) -> None:
        address = f"address{len(self.model.links)}@sample.com"
        self.change_administrator(email=address, current_password=PASSWORD)
        for link in self.model.links:
            link.state = "superseded" if link.state in ("pending", "lapsed") else link.state
        about = f"{self.firm.code}000"
        self.model.links.append(Link(self.mailed("email_confirmation", about).partition("#token=")[2], address))

    @precondition(lambda self: self.model.links)
    @rule(which=st.sampled_from([0, 0, 0, 1, 2]))
    def confirm_a_link(self, which: int) -> None:
        link = self.model.links[-1 - which % len(self.model.links)]
        answer = self.administer("POST", "/email-changes/confirmation", {"token": link.token})
        if link.state == "pending":
            assert (answer.status, answer.body["state"]) == (200, "done")
            self.model.address, link.state = link.address, "confirmed"
        elif link.state == "confirmed":
            assert (answer.status, answer.body["state"]) == (200, "already_done")
        else:
            assert answer.status == 410
            assert answer.problem == f"{link.state.removesuffix('_too')}-link"

    @rule()
    def a_day_passes_for_links(self) -> None:
        for link in self.model.links:
            link.state = "lapsed_too" if link.state == "confirmed" else link.state
            link.state = "lapsed" if link.state == "pending" else link.state
        statement = "update email_changes set requested_at = requested_at - interval '1 day' where user_id = $1"
        self.execute(statement, f"{self.firm.code}000")

    @rule()
    def take_the_request_back(self) -> None:
        answer = self.administer("DELETE", "/administrator/email-change")
        open_ones = [link for link in self.model.links if link.state in ("pending", "lapsed")]
        assert answer.status == (204 if open_ones else 404)
        for link in open_ones:
            link.state = "withdrawn"

    @rule()
    def the_administrator_looks(self) -> None:
        own = self.administer("GET", "/administrator").body
        assert (own["email"], own["one_time_password"]) == (self.model.address, self.model.one_time_passwords)
        pending = [link for link in self.model.links if link.state in ("pending", "lapsed")]
        assert (own["pending_email"] or {}).get("address") == (pending[0].address if pending else None)
        shown = self.administer("GET", f"/applicants/{self.user_id}").body
        assert (shown["enabled"], shown["locked"]) == (self.model.enabled, self.model.locked)
        live = self.model.temporary_lives
        expected = "temporary" if live else "chosen" if self.model.own is not None else "lapsed"
        assert shown["password_state"] == expected

    def teardown(self) -> None:
        for which in range(len(getattr(self, "model", Model("")).sessions)):
            self.look(which)


@pytest.fixture
async def world(platform: Platform, client: aiohttp.ClientSession, behind: Database, people: People) -> Any:
    """A process of its own, in which nothing but the model's limits counts."""
    async with platform.running("identity", **UNLIMITED) as identity:
        people.identity = identity
        yield World(asyncio.get_running_loop(), platform, identity, client, behind, people)


# The service, in another thread, uses `random` for its pauses; the generator believes it was a strategy.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.chaos
@pytest.mark.requirement("C-9", "L1", "L5", "L7", "L8", "L9", "O1", "O2", "E1", "E2", "E3")
async def test_no_history_leads_identity_and_the_model_apart(world: World) -> None:
    await run(world, SETTINGS)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@pytest.mark.requirement("C-9")
async def test_the_model_notices_when_sessions_outlive_their_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: a disabled or reset applicant's sessions only lose their tokens."""

    async def only_tokens(tx: Tx, code: str, user_id: str, _: str) -> tuple[int, UUID]:
        return 0, await access.revoke_user(tx, code, user_id)

    monkeypatch.setattr(access, "end_all", only_tokens)
    with pytest.raises(AssertionError):
        await run(world, hypothesis.settings(SETTINGS, max_examples=30, phases=[hypothesis.Phase.generate]))


async def run(world: World, settings: hypothesis.settings) -> None:
    """Let machines of their own thread talk to the service of this loop."""
    Identity.world = world
    await asyncio.to_thread(run_state_machine_as_test, Identity, settings=settings)
