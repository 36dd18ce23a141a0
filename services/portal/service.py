"""The portal on one page: its screens, and how its process starts, stands and stops."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from socket import gethostname
from typing import Final

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector

from chassis import trace
from chassis.http import health, serve
from chassis.http.meters import Meters
from portal.answers import Answer
from portal.assets import Assets
from portal.counting import counted
from portal.gateways import Gateways
from portal.rendering import Renderer
from portal.routing import Doorkeeper, Needs, Screen, Screens
from portal.screens import (
    accounts,
    administrator,
    applicant_forms,
    applicant_imports,
    applicants,
    applications,
    attachments,
    bank_choice,
    drafts,
    email_confirmation,
    help_pages,
    histories,
    logins,
    mails,
    own,
    passwords,
    policyholder,
    procedures,
    security_trail,
    user_page,
)
from portal.seals import Seals
from portal.sessions import Sessions
from portal.settings import PortalSettings
from portal.troubles import NoSuchPage
from portal.visits import House, Visit

log = structlog.get_logger()
SCREENS: Final[Sequence[Screens]] = (
    logins.screens,
    passwords.screens,
    user_page.screens,
    own.screens,
    administrator.screens,
    email_confirmation.screens,
    applicants.screens,
    applicant_forms.screens,
    applicant_imports.screens,
    help_pages.screens,
    policyholder.screens,
    accounts.screens,
    bank_choice.screens,
    applications.screens,
    drafts.screens,
    attachments.screens,
    procedures.screens,
    histories.screens,
    security_trail.screens,
    mails.screens,
)


@dataclass(frozen=True)
class Running:
    """A started portal."""

    url: str
    house: House


@asynccontextmanager
async def running(settings: PortalSettings) -> AsyncIterator[Running]:
    """Start the portal in this process; leaving lets running requests finish."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(trace.recording(settings.traces_url, "portal", gethostname()))
        gateways = Gateways(settings)
        stack.push_async_callback(gateways.close)
        assets = Assets()
        renderer = Renderer(settings, assets)
        house = House(gateways, Sessions(gateways), Seals(settings.secret.get_secret_value()), renderer)
        server = await serve(build(house, assets), settings.host, settings.port)
        stack.push_async_callback(server.stop)
        log.info("started", url=server.url)
        yield Running(server.url, house)
        log.info("stopping")


def build(house: House, assets: Assets) -> web.Application:
    """Every screen, the files they use, and what operators ask."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    application = web.Application(middlewares=[counted(Meters(registry))])
    for path, handler in {
        "/live": health.live,
        "/ready": health.ready({}),
        "/metrics": health.metrics(registry),
        "/static/{digest}/{name}": assets.serve,
    }.items():
        application.router.add_get(path, handler)
    doorkeeper = Doorkeeper(house)
    for group in SCREENS:
        for screen in group:
            add = application.router.add_get if screen.method == "GET" else application.router.add_post
            add(screen.path, doorkeeper.serve(screen))
    nowhere = Screen("GET", "/{anything:.*}", Needs.NOBODY, 0, _nowhere)
    application.router.add_route("*", nowhere.path, doorkeeper.serve(nowhere))
    return application


async def _nowhere(_visit: Visit) -> Answer:
    raise NoSuchPage
