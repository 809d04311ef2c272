"""List the files of a folder: git's index plus untracked, not ignored files; without git, a walk that honours .gitignore.

Nothing of the scanned repository's configuration runs: git is only asked to list, with file-system monitors, hooks and
every user and system setting switched off, and links are never followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlops_scan.errors import ScanError
from mlops_scan.repository.files import File
from mlops_scan.repository.roles import role_of

# What must never be honoured from the scanned repository's own configuration (git-config(1)).
_SAFE_GIT = (
    "core.fsmonitor=false", "core.untrackedCache=false", "core.hooksPath=/dev/null", "core.pager=cat",
    "core.sshCommand=false", "core.excludesFile=/dev/null", "protocol.allow=never", "safe.directory=*",
    "submodule.recurse=false", "credential.helper=", "core.quotePath=false",
)  # fmt: skip
_SAFE_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ATTR_NOSYSTEM": "1",
}  # fmt: skip
_NEVER_WALKED = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", ".tox", ".nox", ".mypy_cache", ".pytest_cache", ".ruff_cache"})


@dataclass(frozen=True, slots=True)
class Repository:
    """The listed tree: files in path order, the commit if git knows one, and what the reader should be told."""

    root: Path
    files: tuple[File, ...]
    revision: str | None
    notices: tuple[str, ...] = ()

    def by_path(self) -> dict[str, File]:
        """The files by path."""
        return {file.path: file for file in self.files}


def open_repository(path: Path, exclude: tuple[str, ...] = ()) -> Repository:
    """List the folder `path`; `exclude` are patterns in .gitignore syntax.

    Raises:
        ScanError: the path does not exist, is no folder, or cannot be read.
    """
    root = _checked(path)
    notices: list[str] = []
    listed = _git_files(root)
    if listed is None:
        names, revision = list(_walk(root)), None
        if (root / ".git").exists():
            notices.append("git could not list this repository; its folder was walked with .gitignore instead")
    else:
        names, revision = listed
    if exclude:
        import pathspec

        spec = pathspec.GitIgnoreSpec.from_lines(exclude)
        kept = [name for name in names if not spec.match_file(name)]
        notices.append(f"excluded by configuration: {len(names) - len(kept)} files ({', '.join(exclude)})")
        names = kept
    files = tuple(file for name in sorted(set(names)) if (file := _file(root, name)) is not None)
    return Repository(root, files, revision, tuple(notices))


def _checked(path: Path) -> Path:
    if not path.exists():
        raise ScanError(f"{path}: no such file or folder; give the path of a repository")
    if not path.is_dir():
        raise ScanError(f"{path}: is a file; give the folder of a repository")
    root = path.resolve()
    if not os.access(root, os.R_OK | os.X_OK):
        raise ScanError(f"{path}: this folder cannot be read; check its permissions")
    try:
        with os.scandir(root) as entries:
            next(iter(entries), None)
    except OSError as error:
        raise ScanError(f"{path}: this folder cannot be read: {error.strerror}") from error
    return root


def _git_files(root: Path) -> tuple[list[str], str | None] | None:
    """The listed names and the commit, or None where git cannot be used (no repository, no git program, an error)."""
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return None
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    try:
        from git.cmd import Git
        from git.exc import GitCommandError, GitCommandNotFound
    except ImportError:
        return None
    git = Git(str(root))
    options = [part for setting in _SAFE_GIT for part in ("-c", setting)]
    git.update_environment(**_SAFE_ENVIRONMENT)

    def run(*arguments: str) -> bytes:
        output = git.execute(["git", *options, *arguments], stdout_as_string=False, strip_newline_in_stdout=False)
        return output if isinstance(output, bytes) else str(output).encode("utf-8", "surrogateescape")

    try:
        listing = run("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    except (GitCommandError, GitCommandNotFound, OSError):
        return None
    names = [os.fsdecode(name) for name in listing.split(b"\0") if name]
    if not names and not (root / ".git").exists():
        return None  # an ignored folder inside somebody else's repository
    try:
        revision: str | None = run("rev-parse", "--verify", "--quiet", "HEAD").decode("ascii", "replace").strip() or None
    except (GitCommandError, OSError):
        revision = None
    return names, revision


def _walk(root: Path) -> Iterator[str]:
    """Relative names of all files below `root` that no .gitignore on the way excludes."""
    import pathspec

    stack: list[tuple[str, tuple[tuple[str, pathspec.GitIgnoreSpec], ...]]] = [("", ())]
    while stack:
        folder, specs = stack.pop()
        ignore = root / folder / ".gitignore"
        if ignore.is_file() and not ignore.is_symlink():
            lines = ignore.read_text(encoding="utf-8", errors="replace").splitlines()
            specs = (*specs, (folder, pathspec.GitIgnoreSpec.from_lines(lines)))
        try:
            with os.scandir(root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if _ignored(name, is_folder, specs):
                continue
            if is_folder:
                if entry.name not in _NEVER_WALKED and not os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
                    stack.append((name, specs))
            elif entry.is_file(follow_symlinks=False):
                yield name


def _ignored(name: str, is_folder: bool, specs: tuple[tuple[str, object], ...]) -> bool:
    verdict = False
    for base, spec in specs:
        relative = name[len(base) + 1 :] if base else name
        result = spec.check_file(relative + "/" if is_folder else relative)  # type: ignore[attr-defined]
        if result.include is not None:
            verdict = bool(result.include)
    return verdict


def _file(root: Path, name: str) -> File | None:
    """The file of that name, or None for links, folders (submodules), devices and files that are gone."""
    try:
        status = os.lstat(root / name)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return File(name, status.st_size, role_of(name), root)
