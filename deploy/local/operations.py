"""What a second terminal may ask of a platform: status, stop, restart, kill, reset, and a service's own commands."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from typing import Any

from deploy.local import catalogue, processes
from deploy.local.databases import drop_database
from deploy.local.management import Management
from deploy.local.processes import Process, remembered
from deploy.local.refusals import Refusal
from deploy.local.run import DEMO, FILE, LAUNCHER
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from deploy.local.workers import answers

STOP_SECONDS = 60.0
BACK_SECONDS = 60.0
NOT_RUNNING = "The platform of this checkout is not running: start it with `make run`."
EMPTIED = ("postgres", "rabbitmq", "mails", "letters", "services", "logs", "pids")


def running(state: State) -> dict[str, Any] | None:
    """platform.json of a platform that is up, else None."""
    known = state.read(FILE)
    return known if known and remembered(known["supervisor"]).alive() else None


def demand(state: State) -> dict[str, Any]:
    """The same, or a refusal."""
    if known := running(state):
        return known
    raise Refusal(NOT_RUNNING)


def status(state: State) -> int:
    """One line for each process; 0 when the platform is up and every service ready."""
    known = running(state)
    for name, process in processes.left_behind(state).items():
        print(f"  {name:<14}process {process.pid}")
    if not known:
        print(NOT_RUNNING)
        return 1
    states = {url: answers(f"{url}/ready") for one in known["services"].values() for url in one["urls"]}
    for url, well in states.items():
        print(f"  {url:<28}{'ready' if well else 'not ready'}")
    return 0 if all(states.values()) else 1


def stop(state: State) -> int:
    """Stop a running platform, or what a killed one left."""
    known = state.read(LAUNCHER)
    if known and (launcher := remembered(known)).alive():
        launcher.send(signal.SIGTERM)
        if not launcher.ended(STOP_SECONDS):
            raise Refusal(f"Process {launcher.pid} has not stopped within a minute: see {state.log('launcher')}.")
        return 0
    with state.lock():
        Supervisor(state).end_left_behind()
    return 0


def restart(state: State, service: str) -> int:
    """Ask the processes of a service to end; the supervisor starts them again; wait until they are ready."""
    return end(state, service, signal.SIGTERM)


def kill(state: State, name: str) -> int:
    """kill -9, as a power cut would; the supervisor starts it again; wait until it is ready."""
    return end(state, name, signal.SIGKILL)


def end(state: State, name: str, number: signal.Signals) -> int:
    """Signal the processes of that name (`audit` is also `audit-2`) and wait until others have taken their place."""
    known = demand(state)
    left = processes.left_behind(state)
    old = {one: process for one, process in left.items() if one.rpartition("-")[0] == name or one == name}
    if not old:
        raise Refusal(f"{name!r} does not run here: name one of {', '.join(left)}.")
    for process in old.values():
        process.send(number)
    begun = time.monotonic()
    services = known["services"]
    affected = [services[name]] if name in services else services.values()  # all of them work with a server
    urls = [url for service in affected for url in service["urls"]]
    while not back(state, old, urls):
        if time.monotonic() - begun > BACK_SECONDS:
            raise Refusal(f"{name} has not come back within a minute: see {known['log']}.")
        time.sleep(0.1)
    print(f"  {name:<14}back after {time.monotonic() - begun:.1f} s")
    return 0


def back(state: State, old: dict[str, Process], urls: list[str]) -> bool:
    """Whether new processes run under the old names and answer."""
    now = processes.left_behind(state)
    return all(name in now and now[name] != process for name, process in old.items()) and all(
        answers(f"{url}/ready") for url in urls
    )


def reset(state: State) -> int:
    """Throw all data away; ports and fetched programs stay. Refused while the platform runs."""
    with state.lock():
        Supervisor(state).end_left_behind()
        asyncio.run(empty_named_servers())
        for name in EMPTIED:
            shutil.rmtree(state.folder / name, ignore_errors=True)
        for name in ("secrets.json", FILE, LAUNCHER, DEMO, "platform.log", "platform.old"):
            (state.folder / name).unlink(missing_ok=True)
    print("  platform      emptied")
    return 0


async def empty_named_servers() -> None:
    """Servers named in the environment are not ours to throw away: only what we made in them."""
    if url := os.environ.get("POSTGRES_URL"):
        for service in catalogue.behind(catalogue.present()):
            await drop_database(url, service)
    if url := os.environ.get("RABBITMQ_MANAGEMENT_URL"):
        management = Management(url)
        for host in (catalogue.PLATFORM, catalogue.PARTNER):
            await management.delete_virtual_host(host)
        for user in (*catalogue.behind(catalogue.present()), catalogue.PARTNER):
            await management.delete_user(user)


def operate(state: State, service: str, arguments: list[str]) -> int:
    """Run `python -m <service> …` with the environment of the running platform, in this process' place."""
    catalogue.check([service])
    environment = demand(state)["services"].get(service, {}).get("environment")
    if environment is None:
        raise Refusal(f"{service} is not part of the running platform: start it without --only.")
    sys.stdout.flush()
    # From the caller's folder, so that files which the arguments name are found there; -P: our code is not.
    os.execve(sys.executable, [sys.executable, "-P", "-m", service, *arguments], environment)  # noqa: S606 - no shell is wanted
