"""Tasks that are images of the repository: `DockerOperator(image="train")` runs what the Dockerfile in `train/` starts.

Which image is meant is told by its name: that of a compose service which builds it, or of the folder of its Dockerfile.
Facts: https://airflow.apache.org/docs/apache-airflow-providers-docker/stable/ and
https://kubeflow-pipelines.readthedocs.io/en/sdk-1.8.22/source/dsl.html (`ContainerOp`)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from mlops_scan.automation import images
from mlops_scan.automation.model import Start
from mlops_scan.automation.resolve import Resolver
from mlops_scan.code.facts import Call
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.documents.listed import listed
from mlops_scan.documents.store import Documents
from mlops_scan.fingerprints.use import Use
from mlops_scan.words import Evidence, Hop, Location, Role

_OPERATORS = ("DockerOperator", "KubernetesPodOperator", "ContainerOp", "ContainerSpec", "EcsRunTaskOperator")
_ASIDE = frozenset({Role.VENDORED, Role.GENERATED, Role.DOCS, Role.TEST})
_OWN = ("command", "cmds", "arguments")  # which may name the program itself
_PROGRAMS = (".py", ".sh", "python", " -m ")
_Image = tuple[str, str]  # its Dockerfile and the folder of its build


def task_images(uses: Collection[Use], index: CodeIndex, resolver: Resolver) -> None:
    """Lead the graph of the code on from such tasks to what their images run."""
    places = {
        (use.location.path, use.location.line)
        for use in uses
        if "define-task" in use.does and use.name.endswith(_OPERATORS) and use.location.path in index.modules
    }
    calls = [
        (path, call)
        for path in dict.fromkeys(path for path, _ in sorted(places))
        for call in index.modules[path].calls
        if (path, call.line) in places and call.name.endswith(_OPERATORS) and not _says(call)
    ]
    known = known_images(resolver) if calls else {}
    for path, call in calls:
        found = known.get(image_name(call.keyword("image") or ""), set())
        if len(found) == 1:
            nodes = _entries(*next(iter(found)), path, call, resolver)
            index.lead((path, call.scope), nodes, call.line, chosen=False)


def _says(call: Call) -> bool:
    """Whether a task says itself which program of the image it runs."""
    given = [text for name in _OWN if (text := call.keyword(name))]
    return any(mark in text for text in given for mark in _PROGRAMS)


def image_name(image: str) -> str:
    """The last part of an image's name, without tag and digest, `_` as `-`; empty for one that is not known."""
    name = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    return "" if "{" in name or "$" in name else name.lower().replace("_", "-")


def known_images(resolver: Resolver) -> Mapping[str, set[_Image]]:
    """The images of the repository by the name that `image_name` gives, with Dockerfile and folder of the build."""
    documents = resolver.documents
    found: dict[str, set[_Image]] = defaultdict(set)
    for path, file in documents.files.items():
        if file.role not in _ASIDE and images.is_compose(file.name):
            for name, image in _composed(path, documents, resolver):
                found[name].add(image)
    built = {image[0] for several in found.values() for image in several}
    for file in listed(documents).languages.get("dockerfile", ()):
        folder = file.path.rpartition("/")[0]
        if file.role not in _ASIDE and folder and file.path not in built and file.name == "Dockerfile":
            found[image_name(folder)].add((file.path, folder))
    return found


def _composed(path: str, documents: Documents, resolver: Resolver) -> Iterator[tuple[str, _Image]]:
    """The images that the services of a compose file build, by the names that these give them."""
    built = {service.name: service for service in images.services(path, documents, resolver.paths)}
    for document in documents.nodes(path):
        services = document.get("services")
        for name, body in services.entries[:200] if services is not None else ():
            image, service = body.get("image"), built.get(name)
            named = image_name((image.string() or "") if image is not None else name)
            if service is not None and service.dockerfile and named:
                yield named, (service.dockerfile, service.folder)


def _entries(dockerfile: str, folder: str, path: str, call: Call, resolver: Resolver) -> Iterator[Node]:
    """The code that an image starts with."""
    start = Start("pipeline", call.name, Evidence(Location(path, call.line), Hop.TRIGGER, call.name))
    for run in resolver.service(dockerfile, start, folder):
        yield from run.entries
