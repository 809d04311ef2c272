"""List a revision straight from git objects: of a bare repository, or of any commit without a checkout."""

from __future__ import annotations

from msgspec.structs import replace

from mlops_scan.errors import ScanError
from mlops_scan.repository import git
from mlops_scan.repository.listed import Item, Listing, usable
from mlops_scan.repository.objects import Blobs, Entry, ObjectStore, blob_size
from mlops_scan.words import Incomplete

_MAX_DEPTH = 8  # submodules in submodules


def checked_revision(name: str) -> str:
    """The name of a revision that git cannot take for an option, an index entry or a range.

    Raises:
        ScanError: it is none.
    """
    if not name or name.startswith(("-", ":", "^")) or ".." in name or any(c.isspace() or c == "\0" for c in name):
        raise ScanError(f"{name!r} is not the name of one revision; give a branch, a tag or a commit")
    return name


def revision(folder: git.GitFolder, name: str | None, inside: str, submodules: bool) -> Listing:
    """The files of the revision `name` (None: HEAD) below its folder `inside` (empty: all of it).

    Raises:
        ScanError: there is no such revision or folder, or its tree cannot be read.
    """
    where = folder.work_tree or folder.path
    try:
        head = folder.resolve(f"{checked_revision('HEAD' if name is None else name)}^{{commit}}")
        if head.commit is None:
            if name is not None:
                raise ScanError(f"'{name}' is no branch, tag or commit of {where}")
            if folder.resolve("HEAD").commit is None:
                return Listing([])  # nothing is committed yet
            raise ScanError(f"{where}: the commit of HEAD is not in this repository")
        return commit(head, head.commit, inside, folder if submodules else None)
    except git.GitError as error:
        raise ScanError(f"{where}: git cannot read {name or 'HEAD'}: {error}") from error


def commit(
    head: git.Head, name: str, inside: str = "", modules_of: git.GitFolder | None = None, depth: int = 0
) -> Listing:
    """The files of a commit whose objects are there, below the folder `inside`.

    The submodules of the repository `modules_of` are entered, as far as it has them.

    Raises:
        ScanError: there is no folder `inside`.
        GitError: git cannot read it.
    """
    store = ObjectStore(head.objects, head.hash_name)
    try:
        tree = store.folder(name, inside) if inside else name
        if tree is None:
            raise ScanError(f"{inside} is no folder in {name}")
        entries, whole = store.entries(tree)
    except BaseException:
        store.close()
        raise
    entries = [entry for entry in entries if usable(entry.path)]
    files = {entry.path: entry for entry in entries if entry.is_file}
    blobs = Blobs(store, {path: entry.object for path, entry in files.items()})
    listing = Listing(
        [Item(path, blob_size(entry), blobs, int(entry.object, 16)) for path, entry in files.items()],
        name,
        incomplete=() if whole else (Incomplete(".", "some of its folders are not in this repository"),),
        close=(store.close,),
    )
    modules = [entry for entry in entries if entry.is_submodule]
    if modules_of is None or depth >= _MAX_DEPTH:
        return listing.joined([Listing([], skipped=tuple(entry.path for entry in modules))])
    above = f"{inside}/" if inside else ""
    return listing.joined(_submodule(head, modules_of, above + entry.path, entry, depth) for entry in modules)


def _submodule(head: git.Head, outer: git.GitFolder, path: str, entry: Entry, depth: int) -> Listing:
    """The files of a submodule at the commit that is recorded, where its repository is here."""
    places = [git.GitFolder(head.objects.parent / "modules" / path)]
    if outer.work_tree is not None:
        places.insert(0, git.GitFolder(outer.work_tree / path / ".git", outer.work_tree / path))
    for place in places:
        try:
            found = place.resolve(f"{entry.object}^{{commit}}") if place.path.exists() else None
            if found is not None and found.commit is not None:
                return replace(commit(found, found.commit, "", place, depth + 1), revision=None).below(entry.path)
        except git.GitError:
            continue
    return Listing([], skipped=(entry.path,))
