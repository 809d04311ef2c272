"""Which test files a test command runs: pytest's and unittest's own collection rules, read from their configuration.

Facts: https://docs.pytest.org/en/stable/explanation/goodpractices.html#conventions-for-python-test-discovery
"""

from __future__ import annotations

import shlex
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from mlops_scan.automation.paths import Paths, join
from mlops_scan.automation.tasks.model import ini_values
from mlops_scan.code.index import CodeIndex
from mlops_scan.documents.node import Node
from mlops_scan.documents.store import Documents, language_of
from mlops_scan.repository.folders import above
from mlops_scan.repository.roles import strip_template

_WITH_VALUE = frozenset(
    {"-k", "-m", "-n", "-p", "-c", "-o", "-W", "-r", "--cov", "--cov-report", "--cov-config", "--junitxml",
     "--junit-xml", "--maxfail", "--tb", "--durations", "--timeout", "--rootdir", "--confcutdir", "--basetemp",
     "--ignore", "--ignore-glob", "--deselect", "--numprocesses", "--dist", "--html", "--log-level", "--log-cli-level",
     "--cov-fail-under", "--randomly-seed", "--reruns", "--alluredir", "--env", "--import-mode", "--capture",
     "--verbosity", "--override-ini", "--pythonwarnings", "--splits", "--group", "--config-file", "--log-file",
     "--durations-path", "--only-rerun", "--ds", "--browser"}
)  # fmt: skip
_NO_RUN = frozenset({"--co", "--collect-only", "--fixtures", "--markers", "--version", "--help", "-h", "-V"})
_FILES = ("test_*.py", "*_test.py")
_UNITTEST_VALUES = frozenset({"-s", "--start-directory", "-p", "--pattern", "-t", "--top-level-directory", "-k"})


class _Settings(Struct, frozen=True):
    """What pytest's configuration says; paths are relative to the repository."""

    root: str = ""
    testpaths: tuple[str, ...] = ()
    files: tuple[str, ...] = _FILES
    skipped: tuple[str, ...] = ()  # norecursedirs
    options: tuple[str, ...] = ()  # addopts


class TestLayout:
    """The tests of a repository as its runners would collect them."""

    __test__ = False  # not a test class

    def __init__(self, documents: Documents, index: CodeIndex) -> None:
        self.documents = documents
        self.index = index
        self._paths = Paths(documents)
        self._collected: dict[tuple[tuple[str, ...], _Settings, tuple[str, ...]], tuple[str, ...]] = {}
        self._python = sorted(path for path in documents.files if language_of(path) == "python")

    def collected(self, words: tuple[str, ...], folder: str, elsewhere: bool = False) -> tuple[str, ...]:
        """The test files that `pytest …` or `unittest …` runs from `folder`, in path order.

        `elsewhere` tells that it may run in another folder, as in an image: a file that it names and that is not there
        is then the only one of the repository with that ending.
        """
        if _NO_RUN.intersection(words[1:]):
            return ()
        if words[0] == "unittest":
            return self._unittest(words[1:], folder)
        named = self._named(words, folder, elsewhere)
        settings = self._settings(named or (folder,))
        if _NO_RUN.intersection(settings.options):
            return ()
        ignored = (*_ignored(words, folder), *_ignored(settings.options, settings.root))
        bases = named or (settings.testpaths if settings.root == folder else ()) or (folder,)
        key = (bases, settings, ignored)
        if key not in self._collected:
            chosen = (path for path in self._below(bases) if _collects(path, bases, settings, ignored))
            self._collected[key] = tuple(sorted(chosen))
        return self._collected[key]

    def _below(self, bases: Iterable[str]) -> Iterable[str]:
        """The Python files that are one of some places or lie in one, each once."""
        found: dict[str, None] = {}
        for base in bases:
            if base in (".", ""):
                return self._python
            folder = base.rstrip("/") + "/"
            if base in self.documents.files and language_of(base) == "python":
                found[base] = None
            start = bisect_left(self._python, folder)
            stop = bisect_left(self._python, folder[:-1] + "0", start)  # what follows on `/`
            found.update(dict.fromkeys(self._python[start:stop]))
        return found

    # -- pytest ------------------------------------------------------------------------------------------------------

    def _named(self, words: tuple[str, ...], folder: str, elsewhere: bool) -> tuple[str, ...]:
        """The files and folders that the command line names; wildcards as what they match."""
        found: list[str] = []
        for word in _positional(words):
            name = word.partition("::")[0]
            if "$" in name or "{" in name or not name:
                continue
            path = join(folder, name)
            if elsewhere and name.endswith(".py") and path not in self.documents.files:
                path = self._paths.existing(name, folder) or path
            if "--pyargs" in words and "/" not in name and (located := self.index.find_module(name, "x")) is not None:
                found.append(located[0].removesuffix("/__init__.py"))
            elif "*" in path or "?" in path:
                found.extend(self._matching(path))
            elif path in self.documents.files or self._paths.is_folder(path) or "/" in name or name.endswith(".py"):
                found.append(path)
        return tuple(dict.fromkeys(found))

    def _matching(self, pattern: str) -> Iterator[str]:
        """The files and folders of tests whose path matches a pattern; `*` stays within one name."""
        wanted = pattern.split("/")
        for path in self._python:
            parts = path.split("/")[: len(wanted)]
            if len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted)):
                yield "/".join(parts)

    def _settings(self, places: tuple[str, ...]) -> _Settings:
        """The configuration nearest above all the places, as pytest looks for it."""
        for base in above(_common(places)):
            prefix = f"{base}/" if base else ""
            for name, section in (("pytest.ini", "pytest"), (".pytest.ini", "pytest")):
                if prefix + name in self.documents.files:
                    return self._from_ini(base, prefix + name, section)
            options = self._pyproject(prefix + "pyproject.toml")
            if options is not None:
                return self._from_toml(base, options)
            for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
                if f"[{section}]" in self.documents.text(prefix + name):
                    return self._from_ini(base, prefix + name, section)
        return _Settings()

    def _pyproject(self, path: str) -> Node | None:
        documents = self.documents.nodes(path) if path in self.documents.files else ()
        return documents[0].path("tool", "pytest", "ini_options") if documents else None

    def _from_ini(self, base: str, path: str, section: str) -> _Settings:
        text = self.documents.text(path)

        def value(option: str) -> tuple[str, ...]:
            return tuple(word for _, line in ini_values(text, section, option) or () for word in _split(line))

        return self._made(base, value("testpaths"), value("python_files"), value("norecursedirs"), value("addopts"))

    def _from_toml(self, base: str, options: Node) -> _Settings:
        def value(option: str) -> tuple[str, ...]:
            node = options.get(option)
            texts = node.strings() if node is not None else ()
            return texts if node is not None and node.kind == "sequence" else tuple(w for t in texts for w in _split(t))

        return self._made(base, value("testpaths"), value("python_files"), value("norecursedirs"), value("addopts"))

    def _made(
        self,
        base: str,
        paths: tuple[str, ...],
        files: tuple[str, ...],
        skipped: tuple[str, ...],
        options: tuple[str, ...],
    ) -> _Settings:
        found: list[str] = []
        for path in (join(base, name) for name in paths):
            if "*" in path:
                found.extend(self._matching(path))
            else:
                found.append(path)
        return _Settings(base, tuple(found), files or _FILES, skipped, options)

    # -- unittest ----------------------------------------------------------------------------------------------------

    def _unittest(self, arguments: tuple[str, ...], folder: str) -> tuple[str, ...]:
        values: dict[str, str] = {}
        positional: list[str] = []
        before = ""
        for word in arguments:
            option, equals, value = word.partition("=")
            if before in _UNITTEST_VALUES:
                values[before.lstrip("-")[0]] = word
                before = ""
                continue
            before = word
            if equals and option in _UNITTEST_VALUES:
                values[option.lstrip("-")[0]] = value
            elif not word.startswith("-"):
                positional.append(word)
        if positional[:1] != ["discover"] and positional:
            return self._modules(positional, folder)
        given = [*positional[1:], "", ""]
        start = join(folder, values.get("s") or given[0] or ".")
        pattern = values.get("p") or given[1] or "test*.py"
        return tuple(
            sorted(
                path
                for path in self._below((start,))
                if fnmatchcase(path.rpartition("/")[2], pattern) and self._packaged(path, start)
            )
        )

    def _modules(self, names: list[str], folder: str) -> tuple[str, ...]:
        found = set()
        for name in names:
            dotted = name.removesuffix(".py").replace("/", ".")
            located = self.index.find_module(dotted, f"{folder}/x" if folder else "x")
            parts = dotted.split(".")
            files = (join(folder, "/".join(parts[:length]) + ".py") for length in range(len(parts), 0, -1))
            path = located[0] if located is not None else next((f for f in files if f in self.documents.files), "")
            if path:
                found.add(path)
        return tuple(sorted(found))

    def _packaged(self, path: str, start: str) -> bool:
        """Whether unittest enters the file's folder: those below the start must be packages."""
        folder = path.rpartition("/")[0]
        while folder and folder != start:
            if f"{folder}/__init__.py" not in self.documents.files:
                return False
            folder = folder.rpartition("/")[0]
        return True


# -- small rules -----------------------------------------------------------------------------------------------------


def _collects(path: str, bases: tuple[str, ...], settings: _Settings, ignored: tuple[str, ...]) -> bool:
    if any(_within(path, base) or fnmatchcase(path, base) for base in ignored):
        return False
    if path in bases:
        return True
    folders = path.split("/")[:-1]
    if any(fnmatchcase(folder, pattern) for folder in folders for pattern in settings.skipped):
        return False
    name = strip_template(path)[0].rpartition("/")[2]
    return any(fnmatchcase(path if "/" in pattern else name, pattern) for pattern in settings.files)


def _ignored(words: tuple[str, ...], folder: str) -> tuple[str, ...]:
    found: list[str] = []
    for position, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in ("--ignore", "--ignore-glob"):
            given = value if equals else (words[position + 1] if position + 1 < len(words) else "")
            if given:
                found.append(join(folder, given))
    return tuple(found)


def _positional(words: tuple[str, ...]) -> list[str]:
    found, skip = [], False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in _WITH_VALUE:
            skip = True
        elif not word.startswith(("-", "|", ">", "2>")):
            found.append(word)
    return found


def _within(path: str, base: str) -> bool:
    return base in (".", "") or path == base or path.startswith(base.rstrip("/") + "/")


def _common(places: tuple[str, ...]) -> str:
    """The innermost folder that all the places are in (a file's own folder)."""
    parts = [(place.rpartition("/")[0] if place.endswith(".py") else place).split("/") for place in places]
    shared: list[str] = []
    for names in zip(*parts, strict=False):
        if len(set(names)) > 1:
            break
        shared.append(names[0])
    return "/".join(shared)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
