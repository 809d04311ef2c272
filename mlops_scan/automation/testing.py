"""Which test files a test command runs: pytest's and unittest's own collection rules, read from their configuration.

Facts: https://docs.pytest.org/en/stable/explanation/goodpractices.html#conventions-for-python-test-discovery
"""

from __future__ import annotations

import configparser
import posixpath
from fnmatch import fnmatchcase

from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.store import Documents

_WITH_VALUE = frozenset(
    {"-k", "-m", "-n", "-p", "-c", "-o", "-W", "--cov", "--cov-report", "--cov-config", "--junitxml", "--junit-xml", "--maxfail", "--tb", "--durations",
     "--timeout", "--rootdir", "--confcutdir", "--basetemp", "--ignore", "--deselect", "--numprocesses", "--dist", "--html", "--log-level", "-r",
     "--cov-fail-under", "--randomly-seed", "--reruns", "--alluredir", "--env"}
)  # fmt: skip
_NO_RUN = frozenset({"--co", "--collect-only", "--fixtures", "--markers", "--version", "--help"})


class TestLayout:
    """The tests of a repository as its runners would collect them."""

    __test__ = False  # not a test class

    def __init__(self, documents: Documents, index: CodeIndex) -> None:
        self.documents = documents
        self.index = index

    def collected(self, words: tuple[str, ...], folder: str) -> tuple[str, ...]:
        """The test files that `pytest …` or `unittest …` runs from `folder`, in path order."""
        if _NO_RUN.intersection(words):
            return ()
        if words[0] == "unittest":
            return self._unittest(words, folder)
        paths = [word.partition("::")[0] for word in _positional(words)]
        named = [posixpath.normpath(posixpath.join(folder, path)) for path in paths if "$" not in path]
        testpaths, patterns = self._configured(folder)
        if not named:
            named = testpaths or [folder or "."]
        ignored = [
            posixpath.normpath(posixpath.join(folder, w.partition("=")[2])) for w in words if w.startswith("--ignore=")
        ]
        found = []
        for path in self.documents.files:
            if not path.endswith(".py") or any(_below(path, base) for base in ignored):
                continue
            if path in named or (any(_below(path, base) for base in named) and _collectable(path, patterns)):
                found.append(path)
        return tuple(sorted(found))

    def _configured(self, folder: str) -> tuple[list[str], tuple[str, ...]]:
        """`testpaths` (from the repository's root) and `python_files` that apply in `folder`."""
        for base in dict.fromkeys((folder, "")):
            prefix = f"{base}/" if base else ""
            for name, section in (("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
                values = self._ini(prefix + name, section)
                if values is not None:
                    paths = [posixpath.normpath(prefix + p) for p in values.get("testpaths", "").split()]
                    return paths, tuple(values.get("python_files", "").split()) or _DEFAULT
            documents = (
                self.documents.nodes(f"{prefix}pyproject.toml")
                if f"{prefix}pyproject.toml" in self.documents.files
                else ()
            )
            options = documents[0].path("tool", "pytest", "ini_options") if documents else None
            if options is not None:
                testpaths, files = options.get("testpaths"), options.get("python_files")
                paths = [
                    posixpath.normpath(prefix + p)
                    for text in (testpaths.strings() if testpaths else ())
                    for p in text.split()
                ]
                return paths, tuple(p for text in (files.strings() if files else ()) for p in text.split()) or _DEFAULT
        return [], _DEFAULT

    def _ini(self, path: str, section: str) -> dict[str, str] | None:
        if path not in self.documents.files:
            return None
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(self.documents.text(path))
        except configparser.Error:
            return None
        return dict(parser.items(section)) if parser.has_section(section) else None

    def _unittest(self, words: tuple[str, ...], folder: str) -> tuple[str, ...]:
        arguments = words[1:]
        if "discover" not in arguments:
            found = []
            for word in arguments:
                if word.startswith("-"):
                    continue
                located = self.index.find_module(
                    word.removesuffix(".py").replace("/", "."), f"{folder}/x" if folder else "x"
                )
                if located is not None:
                    found.append(located[0])
            if found or any(not a.startswith("-") for a in arguments):
                return tuple(sorted(set(found)))
        start, pattern = folder or ".", "test*.py"
        for i, word in enumerate(arguments[:-1]):
            if word in ("-s", "--start-directory"):
                start = posixpath.normpath(posixpath.join(folder, arguments[i + 1]))
            elif word in ("-p", "--pattern"):
                pattern = arguments[i + 1]
        positional = [
            w
            for i, w in enumerate(arguments)
            if not w.startswith("-") and w != "discover" and (i == 0 or not arguments[i - 1].startswith("-"))
        ]
        if positional:
            start = posixpath.normpath(posixpath.join(folder, positional[0]))
        return tuple(
            sorted(
                p
                for p in self.documents.files
                if _below(p, start) and fnmatchcase(p.rpartition("/")[2], pattern) and self._packaged(p, start)
            )
        )

    def _packaged(self, path: str, start: str) -> bool:
        """Unittest enters a folder below the start only when it is a package."""
        folder = path.rpartition("/")[0]
        while folder and folder != start and _below(folder + "/x", start):
            if f"{folder}/__init__.py" not in self.documents.files:
                return False
            folder = folder.rpartition("/")[0]
        return True


_DEFAULT = ("test_*.py", "*_test.py")


def _collectable(path: str, patterns: tuple[str, ...]) -> bool:
    name = path.rpartition("/")[2]
    return any(
        fnmatchcase(name, pattern if "*" in pattern or pattern.endswith(".py") else pattern + "*.py")
        for pattern in patterns
    )


def _below(path: str, base: str) -> bool:
    return base in (".", "") or path == base or path.startswith(base.rstrip("/") + "/")


def _positional(words: tuple[str, ...]) -> list[str]:
    found, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in _WITH_VALUE:
            skip = True
        elif (
            not word.startswith("-")
            and word not in ("|", ">", "2>&1")
            and (word.endswith(".py") or "/" in word or "::" in word or word.isidentifier() or word == ".")
        ):
            found.append(word)
    return found
