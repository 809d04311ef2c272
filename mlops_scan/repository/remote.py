"""Fetch one revision of a repository that the user named by its URL, into a bare repository in the cache folder.

Only here does git use the network, and only the user's own settings apply: the repository that is fetched into is new
and ours, so the user's git configuration is honoured (a credential helper, a proxy, an ssh command are what make a
private repository readable) while nothing of the fetched one can configure anything. git never asks questions: there
is no terminal, no password prompt. Transports other than https, ssh and git are refused.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from mlops_scan.errors import ScanError
from mlops_scan.regex import regex
from mlops_scan.repository import git
from mlops_scan.repository.urls import TRANSPORTS, checked_url, without_secrets

_SECONDS = 900
_REF = "refs/mlops-scan/fetched"
_EXPRESSION = regex(r"[~^:@{}\\*?\[]")  # of git's language of revisions and refspecs, unknown to a server
# The caller's `GIT_*` that say how to connect; the others would lead the fetch into another repository.
_KEPT = regex(
    r"GIT_(?:SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|PROXY_\w+|EXEC_PATH"
    r"|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))"
)
_QUESTIONLESS = {
    "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS_REQUIRE": "never", "GCM_INTERACTIVE": "never",
    "LC_ALL": "C",
}  # fmt: skip
_NEEDLESS = (  # what the user's configuration may ask for, and a fetch of one revision does not need
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "submodule.recurse=false", "gc.auto=0",
    "maintenance.auto=false", "transfer.bundleURI=false", "fetch.writeCommitGraph=false",
)  # fmt: skip
_FETCH = ("--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
_COMPLAINT_BYTES = 20_000


class Fetched(Struct, frozen=True):
    """A fetched commit: the bare repository that has it, and how to throw that away (nothing to do for a kept one)."""

    folder: git.GitFolder
    commit: str
    close: Callable[[], None] | None = None


def fetched(url: str, revision: str | None, kept_in: Path | None) -> Fetched:
    """Fetch one revision (None: HEAD) without its history.

    `kept_in` is the folder where repositories are kept for the next time; None keeps nothing.

    Raises:
        ScanError: the URL or the revision is refused, or cannot be fetched.
    """
    url, shown = checked_url(url), without_secrets(url)
    if revision is not None and _EXPRESSION.search(revision):
        raise ScanError(f"{revision!r}: of a URL only a branch, a tag or a whole commit id can be fetched")
    temporary = tempfile.TemporaryDirectory(prefix="mlops-scan-") if kept_in is None else None
    base = Path(temporary.name) if temporary is not None else kept_in
    assert base is not None
    try:
        target = base / f"{hashlib.sha256(url.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.git"
        _prepare(target)
        _fetch(target, url, f"+{revision or 'HEAD'}:{_REF}")
        commit = git.GitFolder(target).resolve(f"{_REF}^{{commit}}").commit
        if commit is None:
            raise ScanError(f"{revision or 'HEAD'} of {shown} is no commit")
    except BaseException as error:
        if temporary is not None:
            temporary.cleanup()
        if isinstance(error, (git.GitError, OSError)):
            raise ScanError(f"{shown} cannot be fetched: {str(error).replace(url, shown)}") from error
        raise
    return Fetched(git.GitFolder(target), commit, temporary.cleanup if temporary is not None else None)


def _prepare(target: Path) -> None:
    """Make an empty bare repository at `target`, unless there is one."""
    if git.is_bare(target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="new-") as folder:
        fresh = Path(folder) / "fresh.git"
        git.run(("init", "--bare", "--quiet", "--template=", str(fresh)), {}, folder)
        fresh.replace(target)


def _fetch(target: Path, url: str, refspec: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}
    variables = {**kept, **_QUESTIONLESS, "GIT_DIR": str(target), "GIT_ALLOW_PROTOCOL": ":".join(TRANSPORTS)}
    options = [part for setting in _NEEDLESS for part in ("-c", setting)]
    command = [git.program(), *options, "fetch", *_FETCH, "--", url, refspec]
    with tempfile.TemporaryFile() as errors:
        try:
            git.execute(command, variables, target, _SECONDS, errors=errors)
        except git.GitError as error:
            errors.seek(0)
            raise git.GitError(_complaint(errors.read(_COMPLAINT_BYTES)) or str(error)) from error


def _complaint(output: bytes) -> str:
    """What git says is wrong, in one line; whatever the server adds is left out."""
    lines = output.decode("utf-8", "replace").splitlines()
    own = [line.partition(": ")[2] for line in lines if line.startswith(("fatal: ", "error: ", "ssh: "))]
    text = own[0] if own else next((line for line in lines if line.strip() and not line.startswith("remote:")), "")
    return "".join(character for character in text if character.isprintable())[:300].rstrip(": ")
