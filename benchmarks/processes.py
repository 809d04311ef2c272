"""Run a program in a process of its own and say what it cost; POSIX only."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MEBIBYTE = 1024 * (1024 if sys.platform == "darwin" else 1)  # ru_maxrss is in bytes there, in KiB elsewhere
_POLL = 0.02  # seconds between two looks at the memory of a family of processes


@dataclass(frozen=True, slots=True)
class Figures:
    """One process: seconds of wall time, peak resident memory in MiB of the largest process, exit code.

    `family` is the peak of the process and its descendants together where it was asked for (Linux), pages that they
    share counted once.
    """

    seconds: float
    memory: float
    code: int
    family: float = 0.0


def run(
    words: Sequence[str],
    environment: Mapping[str, str] | None = None,
    watched: bool = False,
    errors: Path | None = None,
) -> Figures:
    """Run a command with its output thrown away; `errors` is the file for its standard error."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, str(errors or os.devnull), flags, 0o600),
    ]
    start = time.perf_counter()
    process = os.posix_spawnp(words[0], list(words), {**os.environ, **(environment or {})}, file_actions=actions)
    family = _watch(process) if watched and sys.platform == "linux" else 0.0
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    memory = usage.ru_maxrss / MEBIBYTE
    return Figures(seconds, memory, os.waitstatus_to_exitcode(status), max(family, memory) if family else 0.0)


def combined(found: Sequence[Figures]) -> Figures:
    """The median time, the largest memory, and the first exit code that is not 0."""
    return Figures(
        statistics.median(item.seconds for item in found),
        max(item.memory for item in found),
        next((item.code for item in found if item.code), 0),
        max(item.family for item in found),
    )


def _watch(process: int) -> float:
    """The largest memory in MiB that the process and its descendants had together while it ran."""
    page = os.sysconf("SC_PAGE_SIZE")
    peak = 0
    while os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        own = [_pages(number) for number in _family(process)]
        shared = max((both for _, both in own), default=0)
        peak = max(peak, sum(resident - both for resident, both in own) + shared)
        time.sleep(_POLL)
    return peak * page / 2**20


def _family(process: int) -> Iterable[int]:
    yield process
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _pages(process: int) -> tuple[int, int]:
    """Resident and shared pages; none for a process that has ended."""
    try:
        words = Path(f"/proc/{process}/statm").read_text().split()
        return int(words[1]), int(words[2])
    except (OSError, IndexError):
        return 0, 0
