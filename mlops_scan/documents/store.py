"""Parse each file at most once, share the result, and note what could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from mlops_scan.digests import blake2b
from mlops_scan.documents.node import DocumentError, Node
from mlops_scan.documents.text import decode, looks_binary
from mlops_scan.repository.files import File, Texts
from mlops_scan.repository.lfs import is_pointer
from mlops_scan.repository.roles import role_of, strip_template
from mlops_scan.words import Incomplete, Role

if TYPE_CHECKING:
    from mlops_scan.documents.dockerfile import Dockerfile
    from mlops_scan.documents.groovy import Statement
    from mlops_scan.documents.makefile import Makefile
    from mlops_scan.documents.notebook import Notebook
    from mlops_scan.documents.python import PythonDocument
    from mlops_scan.documents.requirements import Requirement
    from mlops_scan.documents.shell import ShellScript

TEXT_LIMIT = 8_000_000  # bytes of a text file worth parsing; notebooks with pictures are the largest

_FEW = 8_000_000  # characters of all texts that may stay in memory whatever they are
_AGAIN = 2_000_000  # characters of released texts that are kept once they have been read again

HEAD_LIMIT = 256  # bytes of a file of which only the beginning tells

_INFRASTRUCTURE = {"hcl": "HCL", "bicep": "Bicep", "typescript": "TypeScript"}
_NOT_EVIDENCE = frozenset({Role.VENDORED, Role.GENERATED})
_T = TypeVar("_T")


@lru_cache(maxsize=1 << 16)
def language_of(path: str) -> str:
    """A file's language, told by its name; empty where there is no parser for it."""
    name = strip_template(path)[0].rpartition("/")[2]
    lower = name.lower()
    for suffix, language in _SUFFIXES:
        if lower.endswith(suffix):
            return language
    if lower in _NAMES:
        return _NAMES[lower]
    if lower.startswith(("dockerfile", "containerfile")):
        return "dockerfile"
    if lower.startswith(("requirements", "constraints")) and lower.endswith((".txt", ".in", ".pip")):
        return "requirements"
    return ""


_SUFFIXES = (
    (".py", "python"), (".ipynb", "notebook"), (".yaml", "yaml"), (".yml", "yaml"), (".json", "json"),
    (".jsonc", "json"),
    (".toml", "toml"), (".sh", "shell"), (".bash", "shell"), (".sbatch", "shell"), (".mk", "makefile"),
    (".dockerfile", "dockerfile"), (".tf", "hcl"), (".tofu", "hcl"), (".tfvars", "hcl"), (".hcl", "hcl"),
    (".bicep", "bicep"), (".ts", "typescript"),
)  # fmt: skip
_NAMES = {
    "mlproject": "yaml", "makefile": "makefile", "gnumakefile": "makefile", "dvc.lock": "yaml", "pipfile": "toml",
    "poetry.lock": "toml",
    "uv.lock": "toml", "pdm.lock": "toml", "justfile": "makefile", ".justfile": "makefile", "mlmodel": "yaml",
    "procfile": "yaml",
}  # fmt: skip


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


def fingerprint(data: bytes) -> bytes:
    """What tells the content of a file from every other."""
    return blake2b(data, digest_size=16).digest()


class Documents:
    """The parsed documents of one scan. A file that does not parse is listed once in `incomplete` and gives nothing."""

    def __init__(self, files: Iterable[File], lasting: bool = True) -> None:
        self._lasting = lasting  # somebody will want to know whether the files are still the same
        self.files = {file.path: file for file in files}
        self.unrendered: set[str] = set()
        self.incomplete: dict[str, Incomplete] = {}
        self.files_read = 0
        self.bytes_read = 0
        self.reads: dict[str, bytes] = {}  # the fingerprint of each file read, empty where that failed or nobody asks
        self.heads: dict[str, bytes] = {}
        self.parsed: set[str] = set()
        self._texts: dict[str, str] = {}
        self._held = 0  # characters of the texts that are kept
        self._marks: tuple[str, ...] = ()
        self._released: dict[str, tuple[frozenset[str], int]] = {}
        self._again: dict[str, str] = {}  # of those released, the ones read last
        self._again_size = 0
        self._forgotten: set[str] = set()
        self._cache: dict[tuple[str, str], object] = {}

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> Documents:
        """Documents of a tree given as literal texts by path; nothing is read from disk."""
        documents = cls(File(path, len(text), role_of(path), Texts()) for path, text in texts.items())
        documents._texts.update(texts)
        documents._held = sum(map(len, texts.values()))
        return documents

    def rename_role(self, path: str, role: Role) -> None:
        """Give a file another role, which only its content shows."""
        self.files[path] = replace(self.files[path], role=role)

    def text(self, path: str) -> str:
        """The decoded text of a file; empty for binaries, unreadable and over-long files (those are noted)."""
        if path in self._texts:
            return self._texts[path]
        if path in self._again:
            return self._again[path]
        text = ""
        file = self.files.get(path)
        if file is not None:
            if file.size > TEXT_LIMIT and not file.lfs:
                if file.role not in (Role.DATA, Role.MODEL):  # of which nothing but the size is evidence
                    self.note(path, f"larger than {TEXT_LIMIT // 1_000_000} MB; not read")
            else:
                text = self._read(file)
        if path not in self._released:
            self._texts[path] = text
            self._held += len(text)
            return text
        if hash(text) != self._released[path][1]:
            self.note(path, "changed while it was scanned")
            text = ""
        self._keep_again(path, text)
        return text

    def _keep_again(self, path: str, text: str) -> None:
        """Keep a text that was let go and read again, in the place of those that were read longest ago."""
        self._again[path] = text
        self._again_size += len(text)
        while self._again_size > _AGAIN and len(self._again) > 1:
            oldest = next(iter(self._again))
            self._again_size -= len(self._again.pop(oldest))

    def _read(self, file: File) -> str:
        try:
            data = file.read(TEXT_LIMIT)
        except OSError as error:
            self.reads.setdefault(file.path, b"")
            self.note(file.path, f"cannot be read: {error.strerror or error}")
            return ""
        if file.path not in self.reads:
            self.files_read += 1
            self.bytes_read += len(data)
            self.reads[file.path] = fingerprint(data) if self._lasting else b""
        if is_pointer(data):
            if language_of(file.path):
                self.note(file.path, "is a Git-LFS pointer; the content is not in the repository")
            return ""
        if looks_binary(data):
            if language_of(file.path) and file.role not in (Role.VENDORED, Role.GENERATED):
                self.note(file.path, "is binary, not the text its name promises")
            return ""
        return decode(data)

    def release(self, paths: Iterable[str]) -> None:
        """Let go of texts of which hardly anybody will ask more than what `expect` was told, if there are many.

        Code is most of the text of a repository, and once its facts are known only its evidence is shown. Whoever asks
        for more has the file read again; one that has changed since gives nothing.
        """
        if self._held >= _FEW:
            for path in paths:
                self.let_go(path)

    def expect(self, marks: Iterable[str]) -> None:
        """Say which marks will be asked of texts that are let go from now on."""
        self._marks = tuple(marks)

    def thin_out(self, path: str) -> None:
        """Let go of a text that has been looked at, if there are many; it is read again if it turns out to matter."""
        if self._held >= _FEW:
            self.let_go(path)

    def let_go(self, path: str) -> None:
        """Let go of one text, as `release` does."""
        text = self._texts.pop(path, None)
        if text:
            self._held -= len(text)
            self._released[path] = frozenset(mark for mark in self._marks if mark in text), hash(text)

    def holds(self, path: str, mark: str) -> bool:
        """Whether the text of a file has `mark` in it."""
        if path in self._released and mark in self._marks:
            return mark in self._released[path][0]
        return mark in self.text(path)

    def identity(self, path: str) -> int:
        """What is equal for files of the same text, and for no others."""
        return self._released[path][1] if path in self._released else hash(self.text(path))

    def forget(self, path: str) -> None:
        """Let go of a text that nobody is going to ask for; it would be read again."""
        self._held -= len(self._texts.pop(path, ""))
        self._forgotten.add(path)

    def swept(self, path: str) -> str:
        """The text of a file, empty where it was let go because nothing in it matters."""
        return "" if path in self._forgotten else self.text(path)

    def swept_holds(self, path: str, mark: str) -> bool:
        """Whether the text of a file has `mark` in it; not where it was let go because nothing in it matters."""
        return path not in self._forgotten and self.holds(path, mark)

    def head(self, path: str) -> bytes:
        """The first bytes of a file that is not read as text; empty where it cannot be read."""
        try:
            data = self.files[path].read(HEAD_LIMIT)
        except OSError:
            data = b""
        self.heads[path] = data
        return data

    def note(self, path: str, reason: str) -> None:
        """List a file as incomplete, with the first reason given for it."""
        role = self.files[path].role if path in self.files else Role.SOURCE
        if role in _NOT_EVIDENCE or (role is Role.TEST and "test" not in path.rpartition("/")[2]):
            return  # broken on purpose, or nobody's evidence: a gate must not stumble over it
        self.incomplete.setdefault(path, Incomplete(path, reason))

    def _parsed(self, kind: str, path: str, parse: Callable[[str], _T], empty: _T) -> _T:
        key = (kind, path)
        if key in self._cache:
            return self._cache[key]  # type: ignore[return-value]
        text = self.text(path)
        result = empty
        if text.strip():
            self.parsed.add(path)
            try:
                result = parse(text)
            except DocumentError as error:
                result = getattr(error, "partial", None) or empty
                if kind == "YAML" and "{{" in text and "templates/" in path:
                    self.unrendered.add(path)  # a chart's template is YAML only once it is rendered
                else:
                    self.note(path, f"{kind}: {error}")
            except RecursionError:
                self.note(path, f"{kind}: nested too deeply")
        self._cache[key] = result
        return result

    def nodes(self, path: str) -> tuple[Node, ...]:
        """The documents of a YAML, JSON, TOML, HCL or Bicep file, or of an infrastructure program in TypeScript."""
        language = language_of(path)
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
        from mlops_scan.documents import bicep, hcl, typescript

        parse = {"hcl": hcl.parse, "bicep": bicep.parse, "typescript": typescript.parse}[language]
        return self._parsed(_INFRASTRUCTURE[language], path, parse, ())

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
