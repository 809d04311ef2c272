"""Prompts as files of their own that code loads; files for coding assistants are no prompts of an application."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from mlops_scan.code.facts import Call, Module
from mlops_scan.detectors.base import ASIDE, Context, unique
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.words import Confidence, Evidence, Grade, Hop, Location, Problem, Role, Signal

_OWN_FORMATS = frozenset({".prompty", ".prompt"})
_TEXTS = frozenset({".md", ".txt", ".j2", ".jinja", ".jinja2", ".yaml", ".yml", ".json", ".toml", ".xml", ".mustache"})
_PROMPT = regex(r"(?:^|[_.-])prompts?(?:$|[_.-])", re.I)
_ASSISTANT = regex(r"(^|/)(\.[^/]+/|skills?/|(AGENTS?|CLAUDE|GEMINI|SKILL|copilot-instructions)(\.[\w-]+)*\.md$)", re.I)
_FOREIGN = frozenset({Role.TEST, Role.EXAMPLE, Role.VENDORED, Role.GENERATED})
_DOC_FOLDERS = frozenset({"doc", "docs", "documentation", "blog"})
_READERS = frozenset(
    {
        "open", "read_text", "FileSystemLoader", "PackageLoader", "get_template", "load_prompt", "load_prompts", "glob",
        "rglob", "iterdir", "listdir", "safe_load", "files", "joinpath", "load", "from_template_file", "from_file",
        "PromptTemplate", "read",
    }
)  # fmt: skip
_MAX_SIGNALS = 20


def detect(context: Context) -> Iterable[Signal | Problem]:
    """Signals for `genai/prompt-versioning`."""
    files = [file for file in context.repository.files if _is_prompt(file)]
    if files and _calls_models(context):
        yield from unique(_signals(context, files))


def _is_prompt(file: File) -> bool:
    if "prompt" not in file.path.lower():
        return False
    *folders, name = file.path.split("/")
    if file.role in _FOREIGN or _ASSISTANT.search(file.path) or _DOC_FOLDERS.intersection(folders) or not file.size:
        return False
    if name.lower().startswith(("readme", "license", "changelog")):
        return False
    if file.suffix in _OWN_FORMATS:
        return True
    stem = name.partition(".")[0]
    return file.suffix in _TEXTS and (any(_PROMPT.search(part) for part in folders) or bool(_PROMPT.search(stem)))


def _calls_models(context: Context) -> bool:
    return any(True for _ in context.doing("llm-call"))


def _signals(context: Context, files: list[File]) -> Iterator[Signal]:
    found = 0
    prompts = [_prompt(file) for file in files]
    own_formats = any(file.suffix in _OWN_FORMATS for file in files)
    for path, module in sorted(context.modules(notebooks=False), key=lambda pair: pair[0]):
        loaded = _loads(path, module, prompts, own_formats)
        if loaded is None:
            continue
        line, file, confidence = loaded
        scope = next((call.scope for call in module.calls if call.line <= line <= call.end_line), "")
        evidence = (context.evidence(path, line), Evidence(Location(file.path, 1), Hop.USE, "", Role.SOURCE))
        yield Signal("genai/prompt-versioning", "prompt-files", Grade.IMPLEMENTED, evidence, confidence, scope=scope)
        found += 1
        if found >= _MAX_SIGNALS:
            return
    first = next((file for file in files if file.role not in ASIDE or file.suffix == ".md"), None)
    if not found and first is not None:
        place = Evidence(Location(first.path, 1), role=first.role)
        yield Signal(
            "genai/prompt-versioning",
            "prompt-files",
            Grade.TRACE,
            (place,),
            Confidence.MEDIUM,
            "no code is seen that loads it",
            fixed=True,
        )


class _Prompt(Struct, frozen=True):
    """A prompt file with what code may call it by: its folders for prompts, and its stem where that says so.

    `below` are the folders that hold what it may be called by.
    """

    file: File
    folders: frozenset[str]
    stem: str
    below: tuple[str, ...]

    def near(self, folder: str, words: frozenset[str]) -> bool:
        """Whether code in a folder may mean it by a name alone: from below, or with the name of what holds it."""
        return any(
            not holder or f"{folder}/".startswith(f"{holder}/") or holder.rpartition("/")[2] in words
            for holder in self.below
        )


def _prompt(file: File) -> _Prompt:
    *folders, name = file.path.split("/")
    stem = name.partition(".")[0]
    own = stem if _PROMPT.search(stem) else ""
    below = ["/".join(folders[:number]) for number, part in enumerate(folders) if _PROMPT.search(part)]
    if own:
        below.append("/".join(folders))
    return _Prompt(file, frozenset(part for part in folders if _PROMPT.search(part)), own, tuple(below))


def _telling(texts: Iterable[tuple[int, str]], prompts: Iterable[_Prompt]) -> list[tuple[int, str, list[str]]]:
    """The texts that call some prompt by its folder or its stem, each with the folders and the file that it names."""
    words = {prompt.stem for prompt in prompts if prompt.stem}.union(*(prompt.folders for prompt in prompts))
    split = ((line, text, text.strip("/").split("/")) for line, text in texts)
    return [(line, text, named) for line, text, named in split if text in words or not words.isdisjoint(named)]


def _reads(call: Call) -> bool:
    return call.name.rpartition(".")[2] in _READERS


def _loads(path: str, module: Module, prompts: list[_Prompt], own_formats: bool) -> tuple[int, File, Confidence] | None:
    """Where a module loads a prompt file: by its name, else by its folder with a call that reads."""
    reads = any(_reads(call) for call in module.calls)
    if not reads and not own_formats:
        return None
    texts = [(line, text.lstrip("./").replace("\\", "/")) for line, text in module.strings if 0 < len(text) < 200]
    by_name = {text.rpartition("/")[2]: (line, text) for line, text in reversed(texts) if text}
    for prompt in prompts:
        file = prompt.file
        hit = by_name.get(file.name)
        if hit is not None and f"/{file.path}".endswith(f"/{hit[1]}"):
            return hit[0], file, Confidence.HIGH
    if not reads:
        return None
    folder = path.rpartition("/")[0]
    parts = _telling(texts, prompts)
    words = frozenset(part for _, text in texts for part in text.split("/")) if parts else frozenset()
    for prompt in prompts if parts or folder else ():
        file, wanted = prompt.file, prompt.folders
        for line, text, named in parts if parts and prompt.near(folder, words) else ():
            if not wanted.isdisjoint(named) or (text and text == prompt.stem):
                return line, file, Confidence.MEDIUM
        if folder and wanted.intersection(folder.split("/")) and file.path.startswith(f"{folder}/"):
            reader = next(call for call in module.calls if _reads(call))
            return reader.line, file, Confidence.MEDIUM
    return None
