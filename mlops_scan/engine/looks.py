"""A look at the text of every Python file, by several processes where it pays."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterator, Sequence

from mlops_scan.code.look import Clients, Look, look
from mlops_scan.documents.store import Documents
from mlops_scan.repository.roles import RoleCatalogue
from mlops_scan.words import Role

_PAYS = 3_000_000  # bytes of Python below which a worker costs more than it saves


def looks(
    paths: Sequence[str],
    documents: Documents,
    roles: RoleCatalogue,
    jobs: int = 1,
    meanwhile: Callable[[], object] | None = None,
    clients: Clients = (),
) -> Iterator[tuple[str, Look]]:
    """What the Python files that people wrote show; the others say at their head that a program did.

    These get their role here.

    Args:
        paths: the files.
        documents: has their texts.
        roles: knows what programs write at the head of files.
        jobs: the number of processes, 0 for one per processor where there is much to read.
        meanwhile: other work for this process once there are workers; it is not done where there are none.
        clients: see `look`.
    """
    from mlops_scan.code import workers

    def one(path: str) -> Look | None:
        text = documents.text(path)
        return None if path.lower().endswith(".py") and roles.is_generated(text) else look(path, text, clients)

    found: dict[int, Look | None] = {}

    def own(number: int) -> None:
        found[number] = one(paths[number])
        documents.thin_out(paths[number], marked=False)  # most are never asked for again

    def work(number: int) -> bytes:
        shown, seen = documents.observed(paths[number], lambda: one(paths[number]), marked=False)
        return marshal.dumps((None if shown is None else tuple(shown), seen))

    sizes = [documents.files[path].size for path in paths]
    jobs = workers.processes(sizes, jobs, _PAYS)
    packed: dict[int, bytes] = {}
    if jobs > 1 and all(map(documents.is_shared, paths)):
        packed = workers.share(sizes, jobs, work, own, meanwhile)
    for number, path in enumerate(paths):
        if number in packed:
            shown, seen = marshal.loads(packed.pop(number))  # noqa: S302 -- from our own process
            found[number] = None if shown is None else Look(*shown)
            documents.take(path, seen)
        elif number not in found:
            own(number)
        result = found.pop(number)
        if result is None:
            documents.rename_role(path, Role.GENERATED)
        else:
            yield path, result
