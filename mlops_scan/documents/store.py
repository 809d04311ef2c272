"""Parse each file at most once, share the result, and note what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from mlops_scan.documents.languages import language_of
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.documents.texts import HEAD_LIMIT, TEXT_LIMIT, Seen, TextStore, fingerprint
from mlops_scan.repository.files import File, Texts
from mlops_scan.repository.roles import role_of
from mlops_scan.words import Role

if TYPE_CHECKING:
    from mlops_scan.documents.dockerfile import Dockerfile
    from mlops_scan.documents.groovy import Statement
    from mlops_scan.documents.makefile import Makefile
    from mlops_scan.documents.notebook import Notebook
    from mlops_scan.documents.python import PythonDocument
    from mlops_scan.documents.requirements import Requirement
    from mlops_scan.documents.shell import ShellScript
    from mlops_scan.documents.typescript import Program

__all__ = ["HEAD_LIMIT", "TEXT_LIMIT", "Documents", "fingerprint", "language_of"]

# languages of infrastructure, each read by the module of its name
_INFRASTRUCTURE = {"hcl": "HCL", "bicep": "Bicep"}
_T = TypeVar("_T")


def _json_or_lines(text: str) -> tuple[Node, ...]:
    """A JSON document; a file of one value a line (JSON Lines) is data, not a definition, and gives nothing."""
    from mlops_scan.documents import json

    try:
        return (json.parse(text),)
    except DocumentError:
        first, _, rest = text.strip().partition("\n")
        if not rest or not first.endswith(("}", "]")):
            raise
        json.parse(first)
        return ()


class Documents(TextStore):
    """The parsed documents of one scan. A file that does not parse is listed once in `incomplete` and gives nothing."""

    def __init__(self, files: Iterable[File], lasting: bool = True) -> None:
        super().__init__(files, lasting)
        self.unrendered: set[str] = set()
        self.parsed: set[str] = set()
        self.left_out: frozenset[str] = frozenset()  # files for which `nodes` gives nothing, because there are too many
        self._cache: dict[tuple[str, str], object] = {}

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Documents:
        """Documents of a tree given as literal texts by path; nothing is read from disk."""
        documents = cls(File(path, len(text), role_of(path), Texts()) for path, text in texts.items())
        documents._texts.update(texts)
        documents._held = sum(map(len, texts.values()))
        return documents

    def _known_of(self, path: str, size: int) -> Seen:
        return (*super()._known_of(path, size), path in self.parsed, path in self.unrendered)

    def join(self, seen: Seen, noted_later: bool = False) -> None:
        """See `TextStore.join`; also that a file was parsed, or has to be rendered first."""
        super().join(seen, noted_later)
        path, *_, parsed, unrendered = seen
        if parsed:
            self.parsed.add(path)
        if unrendered:
            self.unrendered.add(path)

    def _is_template(self, kind: str, path: str, text: str) -> bool:
        """Whether a file is to be rendered: a chart's template, or one of a project generator with tags in it."""
        if kind == "YAML" and "{{" in text and "templates/" in path:
            return True
        return self.files[path].role is Role.TEMPLATE and ("{{" in text or "{%" in text)

    def _parsed(self, kind: str, path: str, parse: Callable[[str], _T], empty: _T) -> _T:
        key = (kind, path)
        if key in self._cache:
            return self._cache[key]  # type: ignore[return-value]
        text = self.text(path)
        result = empty
        if text.strip():
            self.parsed.add(path)
            self._is_new(path)
            try:
                result = parse(text)
            except DocumentError as error:
                result = getattr(error, "partial", None) or empty
                if self._is_template(kind, path, text):
                    self.unrendered.add(path)  # it is in its language only once it is rendered
                else:
                    self.note(path, f"{kind}: {error}")
            except RecursionError:
                self.note(path, f"{kind}: nested too deeply")
        self._cache[key] = result
        return result

    def once(self, work: Callable[[Documents], _T]) -> _T:
        """What a function of these documents gives, which is called the first time only.

        For what takes a look at every file, and is asked for one file after the other.
        """
        key = (f"{work.__module__}.{work.__qualname__}", "")
        if key not in self._cache:
            self._cache[key] = work(self)
        return self._cache[key]  # type: ignore[return-value]

    def nodes(self, path: str) -> tuple[Node, ...]:
        """The documents of a YAML, JSON, TOML, HCL or Bicep file, or of an infrastructure program in TypeScript."""
        if path in self.left_out:
            return ()
        language = language_of(path)
        if language == "typescript":
            return self.program(path).nodes
        if language in _INFRASTRUCTURE:
            return self._infrastructure(language, path)
        if language == "json":
            return self._parsed("JSON", path, _json_or_lines, ())
        if language == "toml":
            from mlops_scan.documents import toml

            return self._parsed("TOML", path, lambda text: (toml.parse(text),), ())
        from mlops_scan.documents import yaml

        return self._parsed("YAML", path, yaml.parse, ())

    def _infrastructure(self, language: str, path: str) -> tuple[Node, ...]:
        def parse(text: str) -> tuple[Node, ...]:
            found: tuple[Node, ...] = import_module(f"mlops_scan.documents.{language}").parse(text)
            return found

        return self._parsed(_INFRASTRUCTURE[language], path, parse, ())

    def program(self, path: str) -> Program:
        """An infrastructure program in TypeScript."""
        from mlops_scan.documents import typescript

        return self._parsed("TypeScript", path, typescript.parse, typescript.Program())

    def python(self, path: str) -> PythonDocument | None:
        """The syntax tree of a Python file."""
        from mlops_scan.documents import python

        return self._parsed("Python", path, python.parse, None)

    def notebook(self, path: str) -> Notebook | None:
        """The cells of a notebook."""
        from mlops_scan.documents import notebook

        return self._parsed("notebook", path, notebook.parse, None)

    def shell(self, path: str) -> ShellScript | None:
        """The commands of a shell script."""
        from mlops_scan.documents import shell

        return self._parsed("shell", path, shell.parse, None)

    def makefile(self, path: str) -> Makefile | None:
        """The targets of a Makefile or justfile."""
        from mlops_scan.documents import makefile

        return self._parsed("Makefile", path, makefile.parse, None)

    def dockerfile(self, path: str) -> Dockerfile | None:
        """The instructions of a Dockerfile."""
        from mlops_scan.documents import dockerfile

        return self._parsed("Dockerfile", path, dockerfile.parse, None)

    def groovy(self, path: str) -> tuple[Statement, ...]:
        """The statements of a Groovy script."""
        from mlops_scan.documents import groovy

        return self._parsed("Groovy", path, groovy.parse, ())

    def requirements(self, path: str) -> tuple[Requirement, ...]:
        """The entries of a requirements file."""
        from mlops_scan.documents import requirements

        return self._parsed("requirements", path, requirements.parse, ())
