"""What cron starts in images and compose services: crontabs that an image takes in and runs, jobs of Ofelia's labels.

Facts: https://man7.org/linux/man-pages/man5/crontab.5.html (five fields or `@daily`, then the command; the system's own
tables have a user before it), https://github.com/aptible/supercronic (`supercronic FILE`) and
https://github.com/mcuadros/ofelia#docker-labels-configurations (`ofelia.job-exec.NAME.schedule` and `.command`)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from mlops_scan.automation import images
from mlops_scan.automation.model import Run, Start
from mlops_scan.automation.paths import join
from mlops_scan.automation.remote import runs_remotely
from mlops_scan.automation.resolve import Resolver
from mlops_scan.documents.listed import listed
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex
from mlops_scan.words import Evidence, Hop, Location, Role

_ASIDE = frozenset({Role.VENDORED, Role.GENERATED, Role.DOCS, Role.EXAMPLE, Role.TEST})
_WHEN = (
    r"@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|(?:[\d*/,A-Za-z?-]{1,40}[ \t]+){4}[\d*/,A-Za-z?-]{1,40}"
)
_LINE = regex(rf"[ \t]*(?P<when>{_WHEN})[ \t]+(?P<command>\S.*)")
_USER = regex(r"[a-z_][\w-]{0,31}[ \t]+(?=(?:cd|python[\d.]*|bash|sh|\.|poetry|uv|curl|make|env)[ \t]|/)")
_PROGRAMS = regex(r"(?:cd|python[\d.]*|bash|sh|env|exec|sudo|nice|time|flock|curl|make|poetry|uv|source|echo|test)")
_TABLES = ("/etc/cron.d/", "/etc/crontabs/", "/var/spool/cron/")
_DAEMON = regex(r"(?:^|[\s;&|/\"'=(\[,])(?:crond?|supercronic)(?=[\s;&|\"')\],]|$)", words=("cron",))
_WRITTEN = regex(
    r"echo[ \t]+(?:-e[ \t]+)?(?P<quote>[\"'])(?P<text>[^\"'\n]{5,400})(?P=quote)[ \t]*"
    r"(?:>>?[ \t]*/(?:etc/cron|var/spool/cron)|\|[ \t]*crontab\b)",
    words=("cron",),
)
_SUPERVISOR = "supervisord"
_CRONS = ("supercronic", "crontab")
_OFELIA = "ofelia.job-"
_MAX_LINES = 300
_MAX_SIZE = 20_000  # bytes of a crontab


class _Table(Struct, frozen=True):
    """A crontab: the file that its text stands in, the line of its first one, and the folder that its image is of."""

    path: str
    line: int
    text: str
    folder: str


def cron_runs(documents: Documents, resolver: Resolver, runs: Iterable[Run]) -> Iterator[Run]:
    """What the crontabs start that an image takes in and runs, and those that a command starts cron with."""
    dockerfiles = tuple(_dockerfiles(documents))
    services = [
        service
        for path, file in (documents.files.items() if dockerfiles else ())
        if file.role not in _ASIDE and images.is_compose(file.name)
        for service in images.services(path, documents, resolver.paths)
    ]
    tables = [table for path in dockerfiles for table in _of_image(path, services, documents, resolver)]
    tables += [table for run in runs if run.words and _base(run.words[0]) in _CRONS for table in _given(run, resolver)]
    known: set[tuple[str, int]] = set()
    for table in tables:
        if (table.path, table.line) not in known:
            known.add((table.path, table.line))
            yield from _lines(table, resolver)
    yield from _labelled(documents, resolver)


def _dockerfiles(documents: Documents) -> Iterator[str]:
    files = listed(documents).languages.get("dockerfile", ())
    return (file.path for file in files if file.role not in _ASIDE and "cron" in documents.text(file.path))


def _of_image(
    path: str, services: Sequence[images.Service], documents: Documents, resolver: Resolver
) -> Iterator[_Table]:
    """The crontabs of an image that runs cron when it is started, by itself or as a service."""
    document = documents.dockerfile(path)
    own = [service for service in services if service.dockerfile == path]
    if document is None or not _runs_cron(path, own, documents, resolver):
        return
    folder = next((service.folder for service in own), path.rpartition("/")[0])
    for instruction in document.instructions:
        if instruction.name in ("COPY", "ADD") and any(place in instruction.value for place in _TABLES):
            for source in instruction.value.split()[:-1]:
                found = "" if source.startswith("--") else _file(source, folder, resolver)
                yield from _whole(found, folder, documents)
        elif instruction.name == "RUN" and "cron" in instruction.value:
            for match in _WRITTEN.finditer(instruction.value):
                yield _Table(path, instruction.line, match["text"], folder)
            words = instruction.value.replace("&&", " && ").split()
            after = (words[n + 1] for n, word in enumerate(words[:-1]) if word.endswith("crontab"))
            for name in after:
                yield from _whole(_file(name.rpartition("/")[2], folder, resolver), folder, documents)


def _runs_cron(path: str, own: Sequence[images.Service], documents: Documents, resolver: Resolver) -> bool:
    """Whether what an image starts with is, or starts, the daemon of cron."""
    folder = path.rpartition("/")[0]
    commands = [service.command for service in own if service.command is not None]
    if not own or len(commands) < len(own):
        commands += images.image_commands(path, documents, folder, False, resolver.paths)
    return any(_starts_cron(command, resolver) for command in commands)


def _starts_cron(command: images.Command, resolver: Resolver) -> bool:
    if _DAEMON.search(command.text) is not None:
        return True
    documents = resolver.documents
    if _SUPERVISOR in command.text:
        return any(
            line.strip().startswith("command") and _DAEMON.search(line) is not None
            for name, files in listed(documents).names.items()
            if _SUPERVISOR in name or name == "supervisor.conf"
            for file in files
            for line in documents.text(file.path).split("\n")
        )
    scripts = (resolver.paths.existing(word, command.folder) for word in command.text.split() if word.endswith(".sh"))
    return any(
        _DAEMON.search(line) is not None
        for path in scripts
        if path is not None
        for line in documents.text(path).split("\n")
        if not line.lstrip().startswith("#")
    )


def _given(run: Run, resolver: Resolver) -> Iterator[_Table]:
    """The crontab that a command starts cron with, or hands to it: `supercronic /app/crontab`, `crontab jobs.txt`.

    The machine of a job of CI is gone before its clock comes round.
    """
    name = next((word for word in run.words[1:] if not word.startswith("-")), "")
    gone = run.start.kind == "ci" and not runs_remotely(run)
    if gone or run.start.blocked or run.start.kind in ("person", "pipeline"):
        return
    yield from _whole(_file(name, run.folder, resolver) if name else "", run.folder, resolver.documents)


def _whole(path: str, folder: str, documents: Documents) -> Iterator[_Table]:
    file = documents.files.get(path)
    if file is not None and file.size <= _MAX_SIZE:
        yield _Table(path, 1, documents.text(path), folder)


def _file(name: str, folder: str, resolver: Resolver) -> str:
    """The file of the repository that is meant by a path in an image, or by one that is copied into it; or empty."""
    for base in (folder, ""):
        path = join(base, name.lstrip("/"))
        if path in resolver.documents.files:
            return path
    same = listed(resolver.documents).names.get(name.rpartition("/")[2], ())
    return same[0].path if len(same) == 1 and same[0].role not in _ASIDE else ""


def _lines(table: _Table, resolver: Resolver) -> Iterator[Run]:
    """What the lines of a crontab run."""
    for number, line in enumerate(table.text.split("\n")[:_MAX_LINES]):
        match = _LINE.fullmatch(line.rstrip("\r"))
        if match is None:
            continue
        command = match["command"]
        if _USER.match(command) is not None and _PROGRAMS.fullmatch(command.split()[0]) is None:
            command = command.partition(" ")[2].lstrip()
        yield from _started(match["when"], command, Location(table.path, table.line + number), table.folder, resolver)


def _started(when: str, command: str, place: Location, folder: str, resolver: Resolver) -> Iterator[Run]:
    start = Start("schedule", f"cron {when}", Evidence(place, Hop.TRIGGER, f"cron {when}"))
    yield from resolver.script(command, place.path, place.line, start, folder=folder)


# -- Ofelia ----------------------------------------------------------------------------------------------------------


def _labelled(documents: Documents, resolver: Resolver) -> Iterator[Run]:
    """What Ofelia starts in the services of a compose file, which it is one of, by their labels."""
    for path, file in documents.files.items():
        if file.role in _ASIDE or not images.is_compose(file.name) or _OFELIA not in documents.text(path):
            continue
        for document in documents.nodes(path):
            services = document.get("services")
            bodies = [service for _, service in services.entries[:200]] if services is not None else []
            if not any("ofelia" in _text(service.get("image")) for service in bodies):
                continue
            for service in bodies:
                labels = dict(_labels(service.get("labels")))
                for name, (when, line) in labels.items():
                    job, _, kind = name.rpartition(".")
                    command = labels.get(f"{job}.command")
                    if kind == "schedule" and job.startswith(_OFELIA) and command is not None and when:
                        place = Location(path, line)
                        yield from _started(when, command[0], place, path.rpartition("/")[0], resolver)


def _labels(node: Node | None) -> Iterator[tuple[str, tuple[str, int]]]:
    """The labels of a service, a mapping or a list of `name=value`, with their lines."""
    for name, value in node.entries[:200] if node is not None else ():
        yield name, (_text(value), value.line)
    for item in node.items[:200] if node is not None else ():
        name, _, given = _text(item).partition("=")
        yield name, (given.strip("\"'"), item.line)


def _text(node: Node | None) -> str:
    return "" if node is None else (node.string() or "")


def _base(word: str) -> str:
    return word.rpartition("/")[2]
