"""Open a source, whatever it is: a folder, a revision of a git repository, an archive, a URL.

The same tree gives the same files whichever of these it comes from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from msgspec import Struct

from mlops_scan.errors import ScanError
from mlops_scan.repository import git
from mlops_scan.repository.copied import told_apart
from mlops_scan.repository.files import File
from mlops_scan.repository.hints import hinted
from mlops_scan.repository.lfs import with_stated_sizes
from mlops_scan.repository.listed import Item, Listing
from mlops_scan.repository.roles import RoleCatalogue, default_catalogue
from mlops_scan.words import Incomplete

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Repository(Struct, frozen=True):
    """The listed tree: files in path order, the commit if git knows one, and what the reader should be told.

    `root` is the folder that was scanned; None for other sources. Files can be read until it is closed; with a folder
    there is nothing to close.
    """

    root: Path | None
    files: tuple[File, ...]
    revision: str | None
    notices: tuple[str, ...] = ()
    incomplete: tuple[Incomplete, ...] = ()  # what the source lacks
    uncounted: frozenset[str] = frozenset()  # paths that its .gitattributes take out of statistics
    closing: tuple[Callable[[], None], ...] = ()

    def by_path(self) -> dict[str, File]:
        """The files by path."""
        return {file.path: file for file in self.files}

    def close(self) -> None:
        """End what reading needs: processes, open archives, temporary folders."""
        for close in self.closing:
            close()

    def __enter__(self) -> Repository:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_repository(
    path: Path | str,
    exclude: tuple[str, ...] = (),
    *,
    rev: str | None = None,
    submodules: bool = False,
    keep: bool = True,
    roles: Callable[[], RoleCatalogue] = default_catalogue,
) -> Repository:
    """List the files of a source.

    Args:
        path: a folder, a bare repository, an archive, or the URL of a repository.
        exclude: patterns in .gitignore syntax.
        rev: a revision to list instead of the work tree; of a URL, a branch, a tag or a whole commit id.
        submodules: enter those submodules that are there.
        keep: keep what a URL gives in the user's cache folder.
        roles: gives what names the roles of paths, by default the built-in catalogue. It is asked several times, the
            first time while git lists.

    Raises:
        ScanError: the source does not exist, is of no known kind, or cannot be read.
    """
    spec = _excluded(exclude) if exclude else None
    root, listing = _listed(path, rev, submodules, keep, roles)
    try:
        listing = listing.with_notices()
        notices, items = list(listing.notices), listing.items
        if spec is not None:
            kept = [item for item in items if not spec.match_file(item.path)]
            notices.append(f"excluded by configuration: {len(items) - len(kept)} files ({', '.join(exclude)})")
            items = kept
        catalogue = roles()
        named = hinted(told_apart(with_stated_sizes(_files(items, catalogue))), catalogue)
    except BaseException:
        for close in listing.close:
            close()
        raise
    return Repository(
        root,
        named.files,
        listing.revision,
        (*notices, *named.notices),
        listing.incomplete,
        named.uncounted,
        listing.close,
    )


def _files(items: Iterable[Item], roles: RoleCatalogue) -> Iterable[File]:
    return (
        File(path, size, roles.role(path), source, False, stamp)
        for path, size, source, stamp in sorted(items, key=_by_path)
    )


def _by_path(item: Item) -> str:
    return item.path


def _excluded(patterns: tuple[str, ...]) -> GitIgnoreSpec:
    from mlops_scan.repository.ignore import IgnorePatternError, compiled

    try:
        return compiled(patterns)
    except IgnorePatternError as error:
        raise ScanError(f"exclude pattern {error.pattern!r} is not usable: {error.reason}") from error


def _listed(
    path: Path | str, rev: str | None, submodules: bool, keep: bool, meanwhile: Callable[[], object]
) -> tuple[Path | None, Listing]:
    """The listing of a source, and the folder if it is one."""
    if isinstance(path, str):
        from mlops_scan.repository.urls import is_url, local_path

        if is_url(path):
            local = local_path(path)
            return None, _url(path, rev, keep) if local is None else _of_git(local, path, rev, submodules)
        path = Path(path)
    if _is_file(path):
        from mlops_scan.repository.archive import archive

        if rev is not None:
            raise ScanError(f"{path} is an archive and has no revisions")
        return None, archive(path)
    root = _checked(path)
    if git.is_bare(root):
        return None, _of_git(root, str(path), rev, submodules)
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if rev is not None:
        if top is None:
            raise ScanError(f"{path} is no git repository and has no revisions")
        return root, _of_git(top, str(path), rev, submodules, root.relative_to(top).as_posix())
    return root, _folder(root, top, submodules, meanwhile)


def _folder(root: Path, top: Path | None, submodules: bool, meanwhile: Callable[[], object]) -> Listing:
    from mlops_scan.repository.folder import walked

    if top is not None:
        from mlops_scan.repository.worktree import work_tree

        found = work_tree(root, top, submodules, meanwhile=meanwhile)
        if found is not None:
            return found
    listing = walked(root)
    if top != root:
        return listing
    notice = "git could not list this repository; its folder was walked with .gitignore instead"
    return Listing(listing.items, notices=(notice, *listing.notices))


def _of_git(root: Path, shown: str, rev: str | None, submodules: bool, inside: str = "") -> Listing:
    """A revision of the bare repository or the work tree at `root`."""
    from mlops_scan.repository.revision import revision

    bare = git.is_bare(root)
    if not bare and not (root / ".git").exists():
        raise ScanError(f"{shown} is no git repository")
    folder = git.GitFolder(root) if bare else git.GitFolder(root / ".git", root)
    return revision(folder, rev, "" if inside == "." else inside, submodules)


def _url(url: str, rev: str | None, keep: bool) -> Listing:
    from mlops_scan.cache import REPOSITORIES, folder
    from mlops_scan.repository.remote import fetched
    from mlops_scan.repository.revision import checked_revision, commit

    found = fetched(url, None if rev is None else checked_revision(rev), folder() / REPOSITORIES if keep else None)
    close = () if found.close is None else (found.close,)
    try:
        listing = commit(found.folder.resolve(found.commit), found.commit)
    except BaseException as error:
        for release in close:
            release()
        if isinstance(error, git.GitError):
            raise ScanError(f"what was fetched cannot be read: {error}") from error
        raise
    return listing.joined([Listing([], close=close)])


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, RuntimeError, ValueError):
        return False


def _checked(path: Path) -> Path:
    try:
        if not path.exists():
            raise ScanError(f"{path}: no such file or folder; give the path of a repository")
        if not path.is_dir():
            raise ScanError(f"{path}: is neither a folder nor a regular file; give the path of a repository")
        root = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a name too long, a forbidden parent, a loop of links
        raise ScanError(f"{path}: this folder cannot be read: {error}") from error
    if not os.access(root, os.R_OK | os.X_OK):
        raise ScanError(f"{path}: this folder cannot be read; check its permissions")
    try:
        with os.scandir(root) as entries:
            next(iter(entries), None)
    except OSError as error:
        raise ScanError(f"{path}: this folder cannot be read: {error.strerror}") from error
    return root
