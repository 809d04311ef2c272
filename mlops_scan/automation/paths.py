"""Which file of the repository a path in a command names, and whether a path that names none can be called missing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mlops_scan.documents.languages import R_SUFFIXES
from mlops_scan.documents.listed import listed
from mlops_scan.documents.store import Documents
from mlops_scan.regex import regex

CODE = (".py", ".sh", ".bash", ".ipynb", *R_SUFFIXES)
_VARIABLE = r"(?:\$\{\{.*?\}\}|\$\{[^{}]*\}|\$\(.*\)|\$\w+|%\w+%|\{\{.*?\}\})"
_PREFIX = regex(rf"{_VARIABLE}/(?=.)", words=("$", "%", "{{"))
_OWN_FOLDER = regex(r"\$\{?0\b|BASH_SOURCE|\$PSScriptRoot|github\.action_path|GITHUB_ACTION_PATH")
_CHECKOUT = regex(
    r"WORKSPACE|CI_PROJECT_DIR|BITBUCKET_CLONE_DIR|TRAVIS_BUILD_DIR|CODEBUILD_SRC_DIR\b|BUILD_SOURCESDIRECTORY"
    r"|Build\.SourcesDirectory|rev-parse --show-toplevel",
    re.I,
)
_MAKES = regex(
    r"\b(curl|wget|aria2c|git\s+clone|checkout|clone|tar|unzip|cp|mv|cat|tee|touch|download\S*|generate\S*|render\S*"
    r"|gsutil|aws|az|gcloud|rclone|scp|rsync|dvc\s+(pull|get|import)|path|repository|artifact)\b",
    re.I,
)
_WRITES = r"(?:>\s*|\s-[oO]\s*|--output(?:-document)?[=\s]\s*)[\"']?\S*"
_TEMPLATES = (".tmpl", ".jinja", ".j2")
_GENERATED = frozenset(
    {".env", ".nox", ".tmp", ".tox", ".venv", "_build", "bin", "build", "dist", "env", "node_modules", "obj", "out",
     "output", "results", "target", "temp", "tmp", "venv"}
)  # fmt: skip


class Paths:
    """Looks paths of commands up in the files of one repository."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self._folders: set[str] | None = None
        self._rendered = {_without_template(path): path for path in documents.files}

    def existing(self, name: str, folder: str, script: str = "") -> str | None:
        """The file that a path in a command names, or None.

        It is looked for from the working folder, from the root, and for code also by its tail where only one file has
        it. `script` is the file that the command stands in, for `$(dirname "$0")/x.sh`.
        """
        clean = name.strip("\"'").replace("\\", "/")
        match = _PREFIX.match(clean)
        own = ""
        if match is not None:
            own = script.rpartition("/")[0] if _OWN_FOLDER.search(match.group()) else ""
            clean = clean[match.end() :]
        if not clean or any(c in clean for c in "${}<>`\n"):
            return None
        if clean.startswith("/"):  # several may have that name: in an image it is the one of the folder it is built of
            beside = self._rendered.get(join(folder, clean.rpartition("/")[2])) if clean.endswith(CODE) else None
            return self._by_tail(clean) or beside
        for base in dict.fromkeys((own, folder, "") if match is not None and own else (folder, "")):
            path = self._rendered.get(join(base, clean))
            if path is not None:
                return path
        return self._by_tail(clean) if clean.endswith(CODE) else None

    def is_folder(self, path: str) -> bool:
        """Whether the repository has files below `path`."""
        if self._folders is None:
            self._folders = {""}
            for file in self.documents.files:
                parent = file.rpartition("/")[0]
                while parent and parent not in self._folders:
                    self._folders.add(parent)
                    parent = parent.rpartition("/")[0]
        return path in ("", ".") or path in self._folders

    def missing(self, name: str, folder: str, origin: str) -> str:
        """The path a command asks for, when it can be known not to exist; else empty.

        Variables, absolute paths, places where builds write, and what the file at `origin` seems to download or write
        before are not known.
        """
        clean = name.strip("\"'")
        if any(c in clean for c in "$*?{}<>`%[]\n ") or clean.startswith(("/", "~", "-")) or ":" in clean:
            return ""
        path = join(folder, clean)
        top = path.partition("/")[0]
        if path.startswith("..") or (top in _GENERATED and not self.is_folder(top)) or self._made(path, origin):
            return ""
        return path

    def _made(self, path: str, origin: str) -> bool:
        """Whether a line of the file says that it makes or fetches this path or its outermost folder."""
        text = self.documents.text(origin)
        base, top = path.rpartition("/")[2], path.partition("/")[0]
        names = [base] if top == path or self.is_folder(top) else [base, top]
        for name in names:
            for line in _lines_with(name, text):
                if len(line) <= 2_000 and (_MAKES.search(line.replace(path, "")) or _is_written(name, line)):
                    return True
        return False

    def has_here(self, path: str) -> bool:
        """Whether the repository has a file, or a template of it, at just that path."""
        return path in self._rendered

    def has(self, tail: str) -> bool:
        """Whether a file of the repository has a path that ends so."""
        return any(path == tail or path.endswith("/" + tail) for path in self._named(tail.rpartition("/")[2]))

    def _named(self, name: str) -> list[str]:
        return [file.path for file in listed(self.documents).names.get(name, ())]

    def _by_tail(self, name: str) -> str | None:
        tail = name.lstrip("./")
        candidates = self._named(tail.rpartition("/")[2])
        while tail and candidates:
            found = [path for path in candidates if path == tail or path.endswith("/" + tail)]
            if len(found) == 1:
                return found[0]
            if found or "/" not in tail:
                return None
            tail = tail.partition("/")[2]
        return None

    def changed(self, folder: str, name: str, script: str) -> str:
        """The working folder after `cd name`."""
        clean = name.strip("\"'")
        match = _PREFIX.match(clean + "/x")
        if match is not None:
            own = script.rpartition("/")[0] if _OWN_FOLDER.search(match.group()) else ""
            known = bool(own) or _known(match.group())
            rest = (clean + "/")[match.end() :].strip("/")
            return join(own, rest) if (known or rest) and "$" not in rest else folder
        if clean in ("-", "~") or "$" in clean:
            return folder
        return normal(clean) if clean.startswith("/") else join(folder, clean)

    def leads_astray(self, name: str, astray: bool) -> bool:
        """Whether the folder after `cd name` is not known; `astray` tells the same of the folder before.

        A folder of the repository that the rest of the path names is taken for the one that is meant.
        """
        clean = name.strip("\"'")
        match = _PREFIX.match(clean + "/x")
        if match is not None:
            rest = (clean + "/")[match.end() :].strip("/")
            return "$" in rest or not (_known(match.group()) or (rest and self.is_folder(join("", rest))))
        if clean.startswith("/"):
            return not normal(clean) or not self.is_folder(normal(clean))
        return astray or clean.startswith(("-", "~")) or "$" in clean


def _known(variable: str) -> bool:
    """Whether a variable is the root of the checkout, or the folder of the script itself."""
    return _OWN_FOLDER.search(variable) is not None or _CHECKOUT.search(variable) is not None


def _lines_with(name: str, text: str) -> Iterator[str]:
    """The lines of a text that have `name`, which has no line break, in them."""
    end = -1
    while (at := text.find(name, end + 1)) >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        yield text[start : end if end >= 0 else len(text)]
        if end < 0:
            return


def _is_written(name: str, line: str) -> bool:
    """Whether a command of a line writes to a path with `name`: `> x`, `-o x`, `--output=x`."""
    writes = ">" in line or "-o" in line or "-O" in line
    return writes and re.search(_WRITES + re.escape(name), line) is not None


def _without_template(path: str) -> str:
    """A path without the suffix that only its template has."""
    return re.sub(r"(\.tmpl|\.jinja2?|\.j2)$", "", path) if any(suffix in path for suffix in _TEMPLATES) else path


def normal(folder: str) -> str:
    """A folder relative to the root; the root for variables and for what leaves the repository."""
    clean = re.sub(r"^(\$\{\{.*?\}\}|\$\w+)/", "", folder) if folder.startswith("$") else folder
    clean = posixpath.normpath(clean) if clean else ""
    return "" if clean in (".", "..") or "$" in clean else clean.lstrip("/")


def join(folder: str, name: str) -> str:
    """`name` as seen from `folder`, without dots; the root is empty."""
    path = posixpath.normpath(posixpath.join(folder, name))
    return "" if path == "." else path
