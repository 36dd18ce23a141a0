"""All services of one platform in this process, with the launcher's mail catcher, as outsiders reach them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from chassis.service import running
from chassis.settings import Settings
from deploy.local.cluster import Cluster
from deploy.local.outsiders import Outside
from tests.support.environments import as_environment
from tests.support.keys import Signer
from tests.support.platform import NAMES, Platform
from tests.support.ports import free_port


@asynccontextmanager
async def whole_platform(
    cluster: Cluster, signer: Signer, folder: Path, **told_identity: Any
) -> AsyncIterator[tuple[Outside, Platform]]:
    """Everything but a front end; `told_identity`: more settings of identity."""
    smtp, inbox, identity = free_port(), free_port(), free_port()
    keys_url = f"http://127.0.0.1:{identity}/.well-known/jwks.json"
    own: dict[str, dict[str, Any]] = {
        "identity": {"port": identity, **told_identity},
        "applications": {"answer_seconds": 10.0},  # the machine may be busy with other tests
        "notifier": {"smtp_host": "127.0.0.1", "smtp_port": smtp, "smtp_security": "none"},
    }  # fmt: skip
    services: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(Platform(cluster, folder, signer))
        await stack.enter_async_context(_mail_catcher(folder / "mails", smtp, inbox))
        for name in NAMES:
            settings = platform.settings(name, identity_keys_url=keys_url, **own.get(name, {}))
            runtime = await stack.enter_async_context(running(platform.services[name], settings))
            services[name] = {"urls": [runtime.url], "environment": _environment(settings)}
            await asyncio.wait_for(runtime.revocations.caught_up.wait(), 30)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)))
        known = {
            "services": services,
            "inbox_url": f"http://127.0.0.1:{inbox}/",
            "partner_broker_url": platform.broker("nexi", platform.partner_host),
        }
        outside = Outside(known, http)
        await outside.operate("accounts", "banks", "demo")
        yield outside, platform


@asynccontextmanager
async def _mail_catcher(folder: Path, smtp: int, inbox: int) -> AsyncIterator[None]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.local.mailcatcher",
        "--smtp-port", str(smtp), "--web-port", str(inbox), "--directory", str(folder),
        env=_inherited(),
    )  # fmt: skip
    try:
        yield
    finally:
        child.terminate()
        await child.wait()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as the operator's commands of the same service would find them."""
    return _inherited() | as_environment(settings)


def _inherited() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
