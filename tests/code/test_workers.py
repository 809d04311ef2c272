"""Work shared with forked processes: the same results, whatever happens to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from mlops_scan.code import workers
from mlops_scan.code.build import Source, build, build_all

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no workers without fork")

_SOURCES = [Source(f"f{i}.py", f"import torch\nx = torch.load('{i}')\n" * (i % 7 + 1)) for i in range(200)]


def _share(sizes: list[int], jobs: int) -> tuple[dict[int, bytes], list[int]]:
    own: list[int] = []
    return workers.share(sizes, jobs, lambda number: b"%d" % number, own.append), own


@pytest.mark.parametrize("jobs", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("sizes", [[1], [0, 0, 0], [5, 1, 9], list(range(3000)), [10**6, *[1] * 500]])
def test_every_task_is_done_once(sizes: list[int], jobs: int) -> None:
    done, own = _share(sizes, jobs)
    assert sorted([*done, *own]) == list(range(len(sizes)))
    assert all(data == b"%d" % number for number, data in done.items())
    with pytest.raises(ChildProcessError):  # nobody is left behind
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("jobs", [2, 3, 5])
def test_facts_and_their_order_do_not_depend_on_the_number_of_processes(jobs: int) -> None:
    assert list(build_all(_SOURCES, jobs=jobs)) == list(map(build, _SOURCES))


@pytest.mark.parametrize(("jobs", "times"), [(1, 0), (2, 1), (3, 1)])
def test_other_work_is_done_once_while_there_are_workers(jobs: int, times: int) -> None:
    other: list[str] = []
    own: list[int] = []
    done = workers.share([3, 2, 1], jobs, lambda number: b"%d" % number, own.append, lambda: other.append("done"))
    assert len(other) == times
    assert sorted([*done, *own]) == [0, 1, 2]


def test_what_a_killed_worker_does_not_hand_over_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = os.getpid()

    def dying(source: Source) -> object:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.001)  # the worker gets its turn
        return build(source)

    monkeypatch.setattr("mlops_scan.code.build.build", dying)
    assert list(build_all(_SOURCES, jobs=3)) == list(map(build, _SOURCES))


def test_no_process_to_have_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    assert list(build_all(_SOURCES, jobs=2)) == list(map(build, _SOURCES))


def test_there_are_no_workers_beside_threads_of_others() -> None:
    over = threading.Event()
    assert workers.can_fork()
    for name, possible in ((workers.PROGRESS, True), ("another", False)):
        over.clear()
        thread = threading.Thread(target=over.wait, name=name)
        thread.start()
        try:
            assert workers.can_fork() is possible
        finally:
            over.set()
            thread.join()


def test_an_interrupt_leaves_no_process_and_one_traceback() -> None:
    program = """
        import os, signal, sys, time
        from mlops_scan.code import workers
        sys.stdout.write("not flushed ")  # must come once
        def work(number):
            time.sleep(60)
            return b""
        def own(number):
            os.write(1, b"ready\\n")
            time.sleep(60)
        try:
            workers.share([2, 1, 1, 1], 3, work, own)
        except KeyboardInterrupt:
            print("interrupted")
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    begun = process.stdout.readline()
    assert begun.endswith("ready\n")
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)  # ends only when no worker holds the pipes any more
    assert "interrupted" in out
    assert (begun + out).count("not flushed") == 1
    assert err == ""
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1\n", ""),
        ("x = 1\ny = = 2\n", "Python: line 2: this statement could not be read; the rest was"),
        ("x = 1\ny = = 2\nz = 3\nq = = 4\n", "Python: line 2 and 1 more could not be read; the rest was"),
    ],
)
def test_lines_that_could_not_be_read_are_counted(text: str, problem: str) -> None:
    assert build(Source("a.py", text)).problem == problem
