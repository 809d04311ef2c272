"""Follow builds and starts of container images to the commands in them: Dockerfiles, services of compose files."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from mlops_scan.automation import images
from mlops_scan.automation.chain import Chain
from mlops_scan.automation.model import Run
from mlops_scan.automation.paths import Paths, normal
from mlops_scan.automation.scripts import Scripts
from mlops_scan.documents.store import Documents
from mlops_scan.words import Evidence


class Containers:
    """Knows what the images of one repository run."""

    def __init__(self, documents: Documents, paths: Paths, scripts: Scripts) -> None:
        self._documents = documents
        self._paths = paths
        self._scripts = scripts

    def started(self, words: tuple[str, ...], use: Evidence, chain: Chain) -> Iterator[Run]:
        """What a command runs that builds an image, or builds or starts the services of compose files."""
        built = images.built(words, chain.folder, self._paths)
        composed = images.composed(words)
        if built is not None:
            path, root = built
            if not chain.entered(path):
                yield from self.image(path, root, chain.via(use, path), build=True)
        elif composed is not None:
            yield from self._composed(words, composed, use, chain)

    def image(self, path: str, root: str, chain: Chain, build: bool) -> Iterator[Run]:
        """What building or starting an image runs; files are looked for from the build's folder."""
        for found in images.image_commands(path, self._documents, root, build, self._paths):
            inside = replace(chain, folder=normal(found.folder), inside_image=chain.inside_image or build)
            yield from self._commands(found, inside)

    def _composed(
        self, words: tuple[str, ...], composed: tuple[str, ...], use: Evidence, chain: Chain
    ) -> Iterator[Run]:
        action = images.subcommand(composed)
        if not action or action[0] not in ("up", "build", "run"):
            return
        named = {word for word in action[1:] if not word.startswith("-")}
        for path in images.compose_files(words, chain.folder, self._paths):
            services = list(images.services(path, self._documents, self._paths))
            chosen = [service for service in services if service.name in named] or services
            for service in chosen:
                key = f"{path}#{service.name}"
                if chain.entered(key):
                    continue
                inside = chain.via(use, key)
                if service.dockerfile and (action[0] == "build" or "--build" in action):
                    yield from self.image(service.dockerfile, service.folder, inside, build=True)
                if action[0] == "up":
                    yield from self.service(service, inside)

    def service(self, service: images.Service, chain: Chain) -> Iterator[Run]:
        """What a service of a compose file runs: its own command, or that of the image of its Dockerfile."""
        if service.command is not None:
            inside = replace(chain, folder=normal(service.folder), inside_image=True)
            yield from self._commands(service.command, inside)
        elif service.dockerfile:
            yield from self.image(service.dockerfile, service.folder, chain, build=False)

    def _commands(self, found: images.Command, chain: Chain) -> Iterator[Run]:
        script = self._scripts.parse(found.path, found.text, found.line, True)
        yield from self._scripts.run(script, found.path, chain)
