"""Run the git program on repositories that nobody trusts.

The program is started directly. A library around it (GitPython) costs more time to import than git needs to list a
small repository, sets no limit to the bytes that it collects, and would still leave the settings below to us.

git reads the configuration of the repository that it is asked about, and much of a configuration is commands. Each
call here switches those off, forbids every transport (so that nothing is fetched from a promisor remote), ignores the
settings of user and system, and is bounded in time and output. `GIT_DIR` is always given, therefore neither the owner
of the folder (safe.directory) nor `core.worktree` nor the caller's environment has a say.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from msgspec import Struct

from mlops_scan.regex import regex

SECONDS = 120  # a local call that takes longer waits for something (a pipe in the place of a file)
LISTING_BYTES = 256_000_000  # of one listing; a tree of trees can be small on disk and endless when listed

# What must never be honoured from the scanned repository's own configuration (git-config(1)).
_SAFE = (
    "core.fsmonitor=false", "core.untrackedCache=false", "core.hooksPath=/dev/null", "core.pager=cat",
    "core.sshCommand=false", "core.gitProxy=false", "core.askPass=", "core.excludesFile=/dev/null",
    "core.attributesFile=/dev/null", "core.alternateRefsCommand=false", "protocol.allow=never",
    "protocol.ext.allow=never", "protocol.file.allow=never", "submodule.recurse=false", "credential.helper=",
    "core.quotePath=false", "core.bigFileThreshold=4m", "gc.auto=0", "maintenance.auto=false",
)  # fmt: skip
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull, "GIT_ATTR_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "none",
}  # fmt: skip
OPTIONS = tuple(part for setting in _SAFE for part in ("-c", setting))


class GitError(Exception):
    """git is not there, failed, took too long or said too much."""


def environment(place: Mapping[str, str]) -> dict[str, str]:
    """The environment of a local call: the caller's without its `GIT_*`, the switches above, and `place`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name == "GIT_EXEC_PATH"}
    return {**kept, **_ENVIRONMENT, "LC_ALL": "C", **place}


def program() -> str:
    """The full path of git.

    Looked up here, because the system may also look in the current folder, which can be the scanned one.

    Raises:
        GitError: there is none.
    """
    names = ("git.exe", "git.com") if os.name == "nt" else ("git",)
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118 -- on the way of every scan
            if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113, PTH117
                return path
    raise GitError("there is no git program")


def run(
    arguments: Sequence[str],
    place: Mapping[str, str],
    cwd: str | Path | None = None,
    partial: bool = False,
    stdin: IO[bytes] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> bytes:
    """What `git ARGUMENTS` prints; `place` names the repository (`GIT_DIR` and its kin), `stdin` is a real file.

    With `partial` a failure after some output is not an error. `meanwhile` is what to do until git has it.

    Raises:
        GitError: see there.
    """
    command = [program(), *OPTIONS, *arguments]
    return execute(command, environment(place), cwd, partial=partial, stdin=stdin, meanwhile=meanwhile)


def execute(
    command: Sequence[str],
    variables: Mapping[str, str],
    cwd: str | Path | None = None,
    seconds: float | None = None,
    partial: bool = False,
    stdin: IO[bytes] | None = None,
    errors: IO[bytes] | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> bytes:
    """The output of a command, at most `LISTING_BYTES` of it, after at most `seconds`; complaints go to `errors`.

    It gets a session of its own, which has no terminal: no program below it can ask a question there. `meanwhile` is
    called once it has been started; what it raises ends the command.

    Raises:
        GitError: it cannot be started, fails, or exceeds a bound.
    """
    seconds = SECONDS if seconds is None else seconds
    process = _started(command, variables, cwd, stdin, errors)
    assert process.stdout is not None
    late = threading.Event()

    def expire() -> None:
        late.set()
        kill(process)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        if meanwhile is not None:
            meanwhile()
        output = process.stdout.read(LISTING_BYTES + 1)
        if len(output) > LISTING_BYTES:
            raise GitError(f"more than {LISTING_BYTES // 1_000_000} MB of names")
        code = process.wait()
    finally:
        timer.cancel()
        stop(process)
    if late.is_set():
        raise GitError(f"git took longer than {seconds:g} seconds")
    if code and not (partial and output):
        raise GitError(f"git exited with {code}")
    return output


def _started(
    command: Sequence[str],
    variables: Mapping[str, str],
    cwd: str | Path | None,
    stdin: IO[bytes] | None,
    errors: IO[bytes] | None,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 -- git by its full path, with arguments of ours
            command,
            cwd=cwd,
            env=dict(variables),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if errors is None else errors,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise GitError(f"git cannot be started: {error}") from error


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of `execute` and, where the system knows sessions, everything that it started."""
    with suppress(OSError):
        if sys.platform != "win32":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process, whatever it waits for, and take its resources back."""
    if process.poll() is None:
        kill(process)
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


class GitFolder(Struct, frozen=True):
    """A git directory (`.git`, the file that names one, or a bare repository) and its work tree, if it has one."""

    path: Path
    work_tree: Path | None = None

    @property
    def place(self) -> dict[str, str]:
        """The variables that name it, whatever its configuration says."""
        place = {"GIT_DIR": str(self.path)}
        if self.work_tree is not None:
            place["GIT_WORK_TREE"] = str(self.work_tree)
        if self.path.is_dir():
            place["GIT_INDEX_FILE"] = str(self.path / "index")
        return place

    def resolve(self, revision: str) -> Head:
        """The commit that a revision names, and where the objects lie.

        Raises:
            GitError: this is no repository that git can read.
        """
        cwd = self.work_tree or (self.path if self.path.is_dir() else self.path.parent)
        wanted = ("--git-common-dir", "--show-object-format", revision)
        lines = os.fsdecode(run(("rev-parse", *wanted), self.place, cwd, partial=True)).split("\n")
        if len(lines) < 3:
            raise GitError("git cannot read this repository")
        found = lines[2] if len(lines) == 4 and _OBJECT.fullmatch(lines[2]) else None
        return Head(found, cwd / lines[0] / "objects", lines[1])


class Head(Struct, frozen=True):
    """A resolved revision: the commit (None if the name names none), the object folder, the name of the hash."""

    commit: str | None
    objects: Path
    hash_name: str


_OBJECT = regex(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_bare(folder: Path) -> bool:
    """Whether a folder has the layout by which git knows a repository (`is_git_directory` in git's setup.c)."""
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
