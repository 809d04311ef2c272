"""List the files of a folder: git's index and untracked files; without git, a walk that honours .gitignore.

Nothing of the scanned repository's configuration runs: git is only asked to list, with file-system monitors, hooks and
every user and system setting switched off, the work tree fixed, and a time limit. Links are never followed.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_scan.errors import ScanError
from mlops_scan.repository.files import File
from mlops_scan.repository.hints import hinted
from mlops_scan.repository.ignore import IgnorePatternError, compiled, compiled_leniently
from mlops_scan.repository.roles import RoleCatalogue, default_catalogue
from mlops_scan.words import Role

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# What must never be honoured from the scanned repository's own configuration (git-config(1)).
_SAFE_GIT = (
    "core.fsmonitor=false", "core.untrackedCache=false", "core.hooksPath=/dev/null", "core.pager=cat",
    "core.sshCommand=false", "core.excludesFile=/dev/null", "protocol.allow=never", "safe.directory=*",
    "submodule.recurse=false", "credential.helper=", "core.quotePath=false",
)  # fmt: skip
_SAFE_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1",
    "GIT_ATTR_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "none",
}  # fmt: skip
_GIT_SECONDS = 120  # a listing that takes longer waits for something (a pipe in place of a file)
_IGNORE_BYTES = 1_000_000  # of one .gitignore that are read
_NEVER_WALKED = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache",
     ".ruff_cache"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Repository:
    """The listed tree: files in path order, the commit if git knows one, and what the reader should be told."""

    root: Path
    files: tuple[File, ...]
    revision: str | None
    notices: tuple[str, ...] = ()
    uncounted: frozenset[str] = frozenset()  # paths that its .gitattributes take out of statistics

    def by_path(self) -> dict[str, File]:
        """The files by path."""
        return {file.path: file for file in self.files}


def open_repository(path: Path, exclude: tuple[str, ...] = (), roles: RoleCatalogue | None = None) -> Repository:
    """List the folder `path`; `exclude` are patterns in .gitignore syntax, `roles` by default the built-in catalogue.

    Raises:
        ScanError: the path does not exist, is no folder, or cannot be read.
    """
    root = _checked(path)
    notices: list[str] = []
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    listed = _git_files(root, top) if top is not None else None
    if listed is None:
        unread: list[str] = []
        names, revision = list(_walk(root, unread)), None
        if top == root:
            notices.append("git could not list this repository; its folder was walked with .gitignore instead")
        if unread:
            notices.append(f"{len(unread)} folders could not be read, the first is {unread[0]}")
    else:
        names, revision = listed
    if exclude:
        spec = _excluded(exclude)
        kept = [name for name in names if not spec.match_file(name)]
        notices.append(f"excluded by configuration: {len(names) - len(kept)} files ({', '.join(exclude)})")
        names = kept
    links: dict[str, bool] = {}
    roles = roles or default_catalogue()
    files = tuple(file for name in sorted(set(names)) if (file := _file(root, name, links, roles)) is not None)
    named = hinted(files, roles)
    return Repository(root, named.files, revision, (*notices, *named.notices), named.uncounted)


def _excluded(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    try:
        return compiled(patterns)
    except IgnorePatternError as error:
        raise ScanError(f"exclude pattern {error.pattern!r} is not usable: {error.reason}") from error


def _checked(path: Path) -> Path:
    try:
        if not path.exists():
            raise ScanError(f"{path}: no such file or folder; give the path of a repository")
        if not path.is_dir():
            raise ScanError(f"{path}: is a file; give the folder of a repository")
        root = path.resolve()
    except (OSError, RuntimeError) as error:  # a name too long, a forbidden parent, a loop of links
        raise ScanError(f"{path}: this folder cannot be read: {error}") from error
    if not os.access(root, os.R_OK | os.X_OK):
        raise ScanError(f"{path}: this folder cannot be read; check its permissions")
    try:
        with os.scandir(root) as entries:
            next(iter(entries), None)
    except OSError as error:
        raise ScanError(f"{path}: this folder cannot be read: {error.strerror}") from error
    return root


def _git_files(root: Path, top: Path) -> tuple[list[str], str | None] | None:
    """The listed names and the commit, or None where git cannot be used (no git program, an error, too slow).

    `top` is the folder that holds `.git`.
    """
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    try:
        from git.cmd import Git
        from git.exc import GitCommandError, GitCommandNotFound
    except ImportError:
        return None
    git = Git(str(root))
    options = [part for setting in _SAFE_GIT for part in ("-c", setting)]
    git.update_environment(**_SAFE_ENVIRONMENT, **_place(top))
    limit = None if sys.platform == "win32" else _GIT_SECONDS

    def run(*arguments: str) -> bytes:
        command = ["git", *options, *arguments]
        output = git.execute(command, stdout_as_string=False, strip_newline_in_stdout=False, kill_after_timeout=limit)
        return output if isinstance(output, bytes) else str(output).encode("utf-8", "surrogateescape")

    try:
        listing = run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except (GitCommandError, GitCommandNotFound, OSError):
        return None
    names = [os.fsdecode(name) for name in listing.split(b"\0") if name]
    if not names and root != top:
        return None  # an ignored folder inside somebody else's repository
    try:
        found = run("rev-parse", "--verify", "--quiet", "HEAD").decode("ascii", "replace").strip()
    except (GitCommandError, OSError):
        return names, None
    return names, found or None


def _place(top: Path) -> dict[str, str]:
    """Where the repository and its work tree are, whatever its configuration or the caller's environment says."""
    place = {"GIT_DIR": str(top / ".git"), "GIT_WORK_TREE": str(top)}
    if (top / ".git").is_dir():
        place["GIT_INDEX_FILE"] = str(top / ".git" / "index")
    return place


def _walk(root: Path, unread: list[str]) -> Iterator[str]:
    """Relative names of all files below `root` that no .gitignore on the way excludes.

    Folders that cannot be listed are added to `unread`. Virtual environments are left out and, below the root of a
    repository, other repositories.
    """
    foreign = {"pyvenv.cfg", ".git"} if (root / ".git").exists() else {"pyvenv.cfg"}
    stack: list[tuple[str, tuple[tuple[str, GitIgnoreSpec], ...]]] = [("", ())]
    while stack:
        folder, specs = stack.pop()
        specs = (*specs, *_ignore_file(root, folder))
        try:
            with os.scandir(root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            unread.append(folder)
            continue
        if folder and not foreign.isdisjoint(entry.name for entry in entries):
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if _ignored(name, is_folder, specs):
                continue
            if is_folder:
                if entry.name not in _NEVER_WALKED:
                    stack.append((name, specs))
            elif entry.is_file(follow_symlinks=False):
                yield name


def _ignore_file(root: Path, folder: str) -> Iterator[tuple[str, GitIgnoreSpec]]:
    try:
        file = File(".gitignore", 0, Role.SOURCE, root / folder)
        text = file.read(_IGNORE_BYTES).decode("utf-8", "replace")
    except OSError:
        return  # none, or a link, a pipe, a folder of that name
    yield folder, compiled_leniently(text.splitlines())


def _ignored(name: str, is_folder: bool, specs: tuple[tuple[str, GitIgnoreSpec], ...]) -> bool:
    verdict = False
    for base, spec in specs:
        relative = name[len(base) + 1 :] if base else name
        result = spec.check_file(relative + "/" if is_folder else relative)
        if result.include is not None:
            verdict = result.include
    return verdict


def _file(root: Path, name: str, links: dict[str, bool], roles: RoleCatalogue) -> File | None:
    """The file of that name, or None for links, folders (submodules), devices and files that are gone or outside."""
    if _through_link(root, name.rpartition("/")[0], links):
        return None
    try:
        status = os.lstat(root / name)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return File(name, status.st_size, roles.role(name), root)


def _through_link(root: Path, folder: str, links: dict[str, bool]) -> bool:
    """Whether a folder, as an index may name it, leads over a link or out of `root`; `links` keeps the answers."""
    if not folder:
        return False
    if folder not in links:
        above, _, last = folder.rpartition("/")
        odd = last in ("", ".", "..") or (root / folder).is_symlink()
        links[folder] = odd or _through_link(root, above, links)
    return links[folder]
