"""From the text of a Python file or notebook to its facts: from the cache, or by several processes where it pays."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.code.facts import Module
from mlops_scan.digests import blake2b
from mlops_scan.documents.languages import language_of
from mlops_scan.documents.text import decode
from mlops_scan.documents.texts import Seen, TextStore

if TYPE_CHECKING:
    from mlops_scan.cache import Cache
    from mlops_scan.documents.python import PythonDocument

_PAYS = 60_000  # characters of Python below which a worker costs more than it saves: 5 to 15 ms of processor time
_KINDS = {"r": "R", "rmarkdown": "R Markdown"}
_HELD = 1_000_000  # bytes of new facts that wait to be written to the cache
_PRINTED = 30  # of a notebook one character in so many is code; the rest is what it printed, which is skipped


class Source(Struct, frozen=True):
    """One file to build facts of; of a notebook the bytes will do."""

    path: str
    text: str | bytes
    notebook: bool = False

    @property
    def size(self) -> int:
        """How long it is, in characters or bytes."""
        return len(self.text)

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it."""
        return not self.text or self.text.isspace()

    def load(self) -> Source:
        """The same."""
        return self


class Unread(Struct, frozen=True):
    """One file that the process reads which builds its facts."""

    path: str
    size: int  # in bytes
    notebook: bool
    texts: TextStore

    def load(self) -> Source:
        """The file with its content, empty where that cannot be read."""
        return Source(
            self.path, self.texts.data(self.path) if self.notebook else self.texts.text(self.path), self.notebook
        )


class Built(Struct, frozen=True):
    """The facts of one file, and what could not be read of it: empty when all was. A blank file gives neither."""

    path: str
    module: Module | None
    problem: str = ""


def build(file: Source | Unread) -> Built:
    """Parse one file and extract its facts; never raises for what the file contains."""
    source = file.load()
    if isinstance(file, Unread) and source.blank:
        return Built(source.path, None)
    from mlops_scan.code.extract import extract
    from mlops_scan.documents.node import DocumentError

    language = language_of(source.path)
    kind = "notebook" if source.notebook else _KINDS.get(language, "Python")
    try:
        if language in _KINDS:
            return _of_r(source, language == "rmarkdown")
        document, lines = _document(source)
        module = extract(source.path, document.tree, lines, notebook=source.notebook)
    except DocumentError as error:
        return Built(source.path, None, f"{kind}: {error}")
    except RecursionError:
        return Built(source.path, None, f"{kind}: nested too deeply")
    return Built(source.path, module, "" if source.notebook else _unread(document.lost))


def _of_r(source: Source, document: bool) -> Built:
    """The facts of an R script, or of the R chunks of a document; raises what the parser raises."""
    from mlops_scan.code.extract import extract
    from mlops_scan.documents import r, r_syntax

    text = source.text if isinstance(source.text, str) else decode(source.text)
    if document:
        from mlops_scan.documents import rmarkdown

        text = rmarkdown.code(text)
    read = r.parse(text)
    module = extract(source.path, r_syntax.translated(read.statements), notebook=document)
    return Built(source.path, module, _unread(read.lost, "R"))


def _unread(lines: tuple[int, ...], kind: str = "Python") -> str:
    """What to say of the lines of a file whose statements could not be read."""
    if len(lines) < 2:
        return f"{kind}: line {lines[0]}: this statement could not be read; the rest was" if lines else ""
    return f"{kind}: line {lines[0]} and {len(lines) - 1} more could not be read; the rest was"


def _document(source: Source) -> tuple[PythonDocument, tuple[int, ...]]:
    from mlops_scan.documents import python

    if not source.notebook:
        return python.parse(source.text if isinstance(source.text, str) else decode(source.text)), ()
    from mlops_scan.documents import notebook

    read = notebook.parse(source.text) if isinstance(source.text, str) else notebook.read_code(source.text)
    joined = notebook.joined(read)
    return python.parse(joined.text, joined.tree), joined.lines


def build_all(
    sources: Iterable[Source | Unread],
    jobs: int = 1,
    cache: Cache | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Iterator[Built]:
    """The facts of many files, in the order given.

    Args:
        sources: the files.
        jobs: the number of processes; 0 for one per processor where the amount of code is worth it.
        cache: where the facts of files that have not changed are found, and those of others kept.
        meanwhile: other work for this process once there are workers; it is not done where there are none.
    """
    every = list(sources)
    if cache is None:
        yield from _built(every, jobs, meanwhile)
        return
    from mlops_scan.cache import program

    own = program()
    keys = [_key(own, source.load()) for source in every]
    known = {key: built for key, data in cache.get(keys).items() if (built := _from_bytes(data)) is not None}
    missing = [source for key, source in zip(keys, every, strict=True) if key not in known]
    new = _built(missing, jobs, meanwhile)
    added: dict[bytes, bytes] = {}
    held = 0
    for key, source in zip(keys, every, strict=True):
        built = known.get(key)
        if built is None:
            built = next(new)
            added[key] = _to_bytes(built)
            held += len(added[key])
        if held > _HELD:
            cache.put(added)
            added, held = {}, 0
        yield Built(source.path, built.module, built.problem)
    if added:
        cache.put(added)


def _key(own: bytes, source: Source) -> bytes:
    """What the facts of a file depend on: the program, the file's path (for relative imports) and its content."""
    digest = blake2b(own, digest_size=20)
    digest.update(f"{source.path}\0{source.notebook}\0".encode("utf-8", "surrogatepass"))
    text = source.text
    digest.update(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return digest.digest()


def _to_bytes(built: Built) -> bytes:
    from mlops_scan.code.packed import pack

    return marshal.dumps((built.path, built.problem, b"" if built.module is None else pack(built.module)))


def _from_bytes(data: bytes) -> Built | None:
    from mlops_scan.code.packed import unpack

    try:
        path, problem, packed = marshal.loads(data)  # noqa: S302 -- our own bytes, under a checksum
        return Built(path, unpack(packed) if packed else None, problem)
    except (EOFError, TypeError, ValueError):
        return None


def _built(every: Sequence[Source | Unread], jobs: int, meanwhile: Callable[[], None] | None) -> Iterator[Built]:
    from mlops_scan.code import workers

    sizes = [source.size // (_PRINTED if source.notebook else 1) for source in every]
    jobs = workers.processes(sizes, jobs, _PAYS)
    if jobs < 2:
        yield from map(build, every)
        return
    _import_parsers()  # forked workers have everything imported already
    found: dict[int, Built] = {}

    def own(number: int) -> None:
        found[number] = build(every[number])

    packed = workers.share(sizes, jobs, lambda number: _observed(every[number]), own, meanwhile)
    for number, source in enumerate(every):
        built = found.pop(number, None) or _handed_over(source, packed.pop(number, b""))
        yield built or build(source)  # what a worker did not live to hand over


def _observed(source: Source | Unread) -> bytes:
    """What a worker hands over: the facts, and what reading the file has shown."""
    if isinstance(source, Source):
        return marshal.dumps((_to_bytes(build(source)), None))
    return marshal.dumps(source.texts.observed(source.path, lambda: _to_bytes(build(source))))


def _handed_over(source: Source | Unread, data: bytes) -> Built | None:
    if not data:
        return None
    seen: Seen | None
    built, seen = marshal.loads(data)  # noqa: S302 -- from our own process
    if isinstance(source, Unread) and seen is not None:
        source.texts.take(source.path, seen)
    return _from_bytes(built)


def _import_parsers() -> None:
    from mlops_scan.code import extract, packed  # noqa: F401
    from mlops_scan.documents import notebook, python, repair  # noqa: F401
