"""Work shared between this process and forked ones: all take their tasks from one queue, and none waits for another.

`concurrent.futures` would do the same with imports, threads and a process more; here a worker costs some milliseconds.
"""

from __future__ import annotations

import contextlib
import gc
import marshal
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from msgspec import Struct

PROGRESS = "mlops-scan progress"
"""The name of our own thread: it shows what is being done and holds nothing that a worker needs."""
MAX_WORKERS = 8
_MAX_BATCHES = 1_000  # what is put into a pipe that nobody reads yet: two bytes each, and 4096 always fit


def processors() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def can_fork() -> bool:
    """Whether workers are possible: a forked process has none of the other threads, but the locks that they held."""
    threading = sys.modules.get("threading")
    others = () if threading is None else (t for t in threading.enumerate() if t is not threading.main_thread())
    return hasattr(os, "fork") and all(thread.name == PROGRESS for thread in others)


def processes(sizes: Sequence[int], jobs: int, pays: int) -> int:
    """How many processes are to do tasks of these sizes; 1 where there can be no workers.

    `jobs` is the number that was asked for, 0 for one per processor where all tasks together are at least `pays`.
    """
    if len(sizes) < 2 or not can_fork():
        return 1
    return jobs or (processors() if sum(sizes) >= pays else 1)


def share(
    sizes: Sequence[int],
    jobs: int,
    work: Callable[[int], bytes],
    own: Callable[[int], None],
    meanwhile: Callable[[], object] | None = None,
) -> dict[int, bytes]:
    """Do a task for each of `sizes`, large ones first, in this process and up to `jobs` - 1 forked ones.

    Args:
        sizes: how much there is to do for each task, in any unit.
        jobs: the number of processes.
        work: does a task, by its number, in a worker; must not raise.
        own: does one in this process, and keeps the result.
        meanwhile: what this process does first, while the workers begin; nothing where there are none.

    Returns:
        What `work` gave, by number. A task is missing that was done here, or whose worker ended early: killed for want
        of memory, perhaps.
    """
    batches = _batches(sizes, jobs)
    queue, entry = os.pipe()
    os.write(entry, b"".join(number.to_bytes(2, "little") for number in range(len(batches))))
    os.close(entry)
    workers: list[_Worker] = []
    done: dict[int, bytes] = {}
    try:
        for _ in range(min(jobs, MAX_WORKERS, len(batches)) - 1):
            worker = _started(queue, batches, work)
            if worker is None:
                break
            workers.append(worker)
        if workers and meanwhile is not None:
            meanwhile()
        for number in _taken(queue, batches):
            own(number)
        for worker in workers:
            done.update(worker.results())
    finally:
        os.close(queue)
        for worker in workers:
            worker.end()
    return done


def _batches(sizes: Sequence[int], jobs: int) -> list[list[int]]:
    """The numbers of the tasks, large ones first; small ones in groups that are small against the whole."""
    least = sum(sizes) / min(64 * jobs, _MAX_BATCHES - 1)
    batches: list[list[int]] = [[]]
    held = 0
    for number in sorted(range(len(sizes)), key=lambda number: -sizes[number]):
        if held >= least and held:
            batches.append([])
            held = 0
        batches[-1].append(number)
        held += sizes[number]
    return batches


def _taken(queue: int, batches: Sequence[Sequence[int]]) -> Iterator[int]:
    """The tasks that this process takes from the queue, until none are left."""
    while len(number := os.read(queue, 2)) == 2:
        yield from batches[int.from_bytes(number, "little")]


class _Worker(Struct, frozen=True):
    """A forked process, and the end of the pipe through which its results come."""

    process: int
    pipe: int

    def results(self) -> Iterator[tuple[int, bytes]]:
        """What the worker has done, when it has done everything."""
        with open(self.pipe, "rb", closefd=False) as reader, contextlib.suppress(EOFError, TypeError, ValueError):
            while True:
                number, data = marshal.load(reader)  # noqa: S302 -- from our own process
                yield number, data

    def end(self) -> None:
        """Make sure that the worker is gone; one that has not finished is not needed any more."""
        os.close(self.pipe)
        with contextlib.suppress(OSError):
            os.kill(self.process, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.waitpid(self.process, 0)


def _started(queue: int, batches: Sequence[Sequence[int]], work: Callable[[int], bytes]) -> _Worker | None:
    """A new worker, or None where the system has no process to give."""
    parent = os.getpid()
    reading, writing = os.pipe()
    # Ctrl-C goes to all processes: it must not find the worker between the fork and the change of its handlers
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        process = os.fork()
        if process == 0:
            _serve(parent, queue, writing, batches, work)
    except OSError:
        os.close(reading)
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(writing)
    return _Worker(process, reading)


def _serve(
    parent: int, queue: int, pipe: int, batches: Sequence[Sequence[int]], work: Callable[[int], bytes]
) -> NoReturn:
    """The life of a worker; does not return, so that nothing of the parent's is run or flushed twice."""
    code = 1
    try:
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        gc.disable()  # facts have no cycles, and looking for some would copy the parent's memory
        results = []
        for number in _taken(queue, batches):
            results.append((number, work(number)))
            if os.getppid() != parent:
                break  # nobody is left to hand them to
        # at the end, because the parent is at work as well: a full pipe would hold us up
        with open(pipe, "wb") as writer:
            for result in results:
                marshal.dump(result, writer)
        code = 0
    finally:
        os._exit(code)
