"""One Dockerfile makes the image of any service, and what it installs and copies suffices for that service alone."""

import asyncio
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from deploy.local.bootstrap import UV
from deploy.local.catalogue import KNOWN
from deploy.local.state import ROOT
from deploy.local.surroundings import GATEWAYS
from tests.deploy import dockerfile, metrics
from tests.support.eventually import eventually
from tests.support.platform import Platform
from tests.support.ports import free_port

PATIENCE = 60  # seconds; only to end a test that hangs
FILES = pytest.mark.parametrize("path", [dockerfile.IMAGE, dockerfile.CATCHER], ids=lambda path: str(path.name))


@FILES
def test_an_image_is_plain_pinned_and_runs_without_root(path: Path) -> None:
    build, final = dockerfile.stages(path)
    assert {stage[0].rest.partition(" ")[0] for stage in (build, final)} == {"python:3.11-slim"}, "no registry's name"
    installs = [one.rest for one in dockerfile.of(build, "RUN") if " install " in one.rest]
    assert installs and all("--require-hashes" in one and "--only-binary :all:" in one for one in installs)
    assert [one.rest for one in dockerfile.of(final, "USER")] == ["10001:10001"]
    assert [one.rest for one in dockerfile.of(final, "STOPSIGNAL")] == ["SIGTERM"]
    assert not dockerfile.of(build, "ADD") + dockerfile.of(final, "ADD")
    assert all("--from=build" in one.rest for one in dockerfile.of(final, "COPY")), "no tool of the build remains"


@FILES
def test_only_what_an_image_needs_reaches_its_build(path: Path) -> None:
    patterns = path.with_name(f"{path.name}.dockerignore").read_text().splitlines()[1:]
    sources = {one.rest.split()[0].split("/${SERVICE}")[0] for one in copied(dockerfile.stages(path)[0])}
    assert patterns[0] == "*" and sources == {one[1:] for one in patterns if one.startswith("!")}


def test_signals_reach_the_service_and_its_health_is_that_it_lives() -> None:
    final = dockerfile.stages(dockerfile.IMAGE)[1]
    [entry] = dockerfile.of(final, "ENTRYPOINT")
    assert entry.exec_form[:2] == ["sh", "-c"] and entry.exec_form[2].startswith("exec ")
    [health] = dockerfile.of(final, "HEALTHCHECK")
    assert "/live" in health.exec_form[-1], "a service whose broker is away must not be killed"


def copied(stage: list[dockerfile.Instruction]) -> list[dockerfile.Instruction]:
    return dockerfile.of(stage, "COPY")


class Image:
    """The image's folders in a folder of the test's, and its Python in an environment of its own."""

    def __init__(self, path: Path, service: str, folder: Path) -> None:
        self.service, self.folder = service, folder
        self.stages = dockerfile.stages(path)
        self.python = folder / "opt" / "venv" / "bin" / "python"
        self.state = folder / "state"

    async def build(self) -> None:
        """What the Dockerfile does, step by step."""
        self.state.mkdir()
        skip = shutil.ignore_patterns("__pycache__", ".*")
        for one in copied(self.stages[0]):
            source, target = one.rest.replace("${SERVICE}", self.service).split()
            if target.startswith("/"):
                shutil.copytree(ROOT / source, self.folder / target[1:], ignore=skip)
        requirements = ROOT / copied(self.stages[0])[0].rest.replace("${SERVICE}", self.service).split()[0]
        await succeed(UV, "venv", "--quiet", "--python", sys.executable, self.folder / "opt" / "venv")
        await succeed(UV, "pip", "sync", "-q", "--require-hashes", "--python", self.python, requirements)
        await succeed(self.python, "-m", "compileall", "-q", self.folder / "app")

    async def start(self, *arguments: str, **environment: str) -> Process:
        """`docker run IMAGE arguments`: the same entry, the same environment, nothing of this process'."""
        inside = dockerfile.environment(self.stages[1])
        inside["PATH"] = f"{self.python.parent}:{os.environ['PATH']}"
        inside["PYTHONPATH"] = str(self.folder / inside["PYTHONPATH"][1:])
        inside["SERVICE"] = self.service
        entry = dockerfile.of(self.stages[1], "ENTRYPOINT")[0].exec_form
        return await asyncio.create_subprocess_exec(
            *entry, *arguments, cwd=self.state, env=inside | environment, stdout=PIPE, stderr=STDOUT
        )

    def code(self) -> set[Path]:
        """Every file beside the state."""
        return set((self.folder / "app").rglob("*"))


async def succeed(*command: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(*map(str, command), stdout=PIPE, stderr=STDOUT)
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@pytest.fixture(params=KNOWN)
async def image(request: pytest.FixtureRequest, tmp_path: Path) -> Image:
    image = Image(dockerfile.IMAGE, request.param, tmp_path)
    await image.build()
    return image


def told(service: str, platform: Platform) -> dict[str, str]:
    """The settings of a service on the tests' servers, as environment variables."""
    if service == "portal":
        settings = {f"{name}_url": f"http://127.0.0.1:{free_port()}" for name in GATEWAYS} | {"secret": "s" * 32}
    else:
        settings = platform.settings(service).model_dump(mode="json", exclude_unset=True)
    return {f"{service}_{name}".upper(): str(value) for name, value in settings.items()}


@asynccontextmanager
async def running(process: Process, question: str) -> AsyncIterator[None]:
    """The container once it answers; at the end it is asked to stop, and does."""
    try:
        async with aiohttp.ClientSession() as client:

            async def answers() -> bool:
                assert process.returncode is None, (await process.communicate())[0].decode()
                try:
                    async with client.get(question) as answer:
                        return answer.status == 200
                except aiohttp.ClientError:
                    return False

            await eventually(answers, timeout=PATIENCE)
        yield
        process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, output.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_requirements_of_a_service_suffice_for_it_alone(image: Image, platform: Platform) -> None:
    before = image.code()
    help_shown = await image.start("--help")
    output, _ = await help_shown.communicate()
    assert help_shown.returncode == 0 and f"python -m {image.service}" in output.decode()
    port = free_port()
    environment = told(image.service, platform) | {f"{image.service.upper()}_PORT": str(port)}
    url = f"http://127.0.0.1:{port}"
    async with running(await image.start("serve", **environment), f"{url}/ready"), aiohttp.ClientSession() as client:
        async with client.get(f"{url}/metrics") as answer:
            exported = set(re.findall(r"(?m)^# TYPE (\w+) ", await answer.text()))
        assert metrics.asked_of(image.service) <= exported, "alerts and dashboard ask for what is there"
    assert image.code() == before, "it writes into its state folder only"


async def test_the_requirements_of_the_mail_catcher_suffice_for_it(tmp_path: Path) -> None:
    image = Image(dockerfile.CATCHER, "", tmp_path)
    await image.build()
    before, smtp, web = image.code(), free_port(), free_port()
    [usual] = dockerfile.of(image.stages[1], "CMD")
    inside = " ".join(usual.exec_form).replace("2525", str(smtp)).replace("8025", str(web))
    arguments = inside.replace("/state", str(image.state)).split()
    async with running(await image.start(*arguments), f"http://127.0.0.1:{web}/"):
        pass
    assert image.code() == before
