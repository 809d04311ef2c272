"""From the text of a Python file or notebook to its facts; over several processes where that pays."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlops_scan.code.facts import Module

_PAYS = 400_000  # characters of Python below which starting a worker costs more than it saves


@dataclass(frozen=True, slots=True)
class Source:
    """One file to build facts of."""

    path: str
    text: str
    notebook: bool = False


@dataclass(frozen=True, slots=True)
class Built:
    """The facts of one file, and what could not be read of it (empty when all was)."""

    path: str
    module: Module | None
    problem: str = ""


def build(source: Source) -> Built:
    """Parse one file and extract its facts; never raises for what the file contains."""
    from mlops_scan.code.extract import extract
    from mlops_scan.documents.node import DocumentError
    from mlops_scan.documents.python import parse

    kind = "notebook" if source.notebook else "Python"
    try:
        text, lines = _code(source)
        document = parse(text)
        module = extract(source.path, document.tree, lines, notebook=source.notebook)
    except DocumentError as error:
        return Built(source.path, None, f"{kind}: {error}")
    except RecursionError:
        return Built(source.path, None, f"{kind}: nested too deeply")
    lost = document.lost and not source.notebook
    problem = f"{kind}: line {document.lost[0]}: this statement could not be read; the rest was" if lost else ""
    return Built(source.path, module, problem)


def _code(source: Source) -> tuple[str, tuple[int, ...]]:
    if not source.notebook:
        return source.text, ()
    from mlops_scan.documents.notebook import code, parse

    return code(parse(source.text))


def build_all(sources: Iterable[Source], jobs: int = 1) -> Iterator[Built]:
    """The facts of many files, in the order given. `jobs` is the number of processes, 0 for one per processor."""
    every = list(sources)
    jobs = min(jobs or os.cpu_count() or 1, 8)
    if jobs < 2 or sum(len(source.text) for source in every) < _PAYS or not hasattr(os, "fork"):
        yield from map(build, every)
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # forked workers have everything imported already; large files first, so that none is left over at the end
    order = sorted(range(len(every)), key=lambda i: -len(every[i].text))
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        built = dict(zip(order, pool.map(build, [every[i] for i in order], chunksize=4), strict=True))
    yield from (built[i] for i in range(len(every)))
