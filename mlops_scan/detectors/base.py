"""What every detector receives and gives: the facts of one scan in, signals and problems out.

A detector is a callable of the entry-point group `mlops_scan.detectors`:

    def detect(context: Context) -> Iterable[Signal | Problem]: ...

It opens no file, knows no level and does not decide grades beyond what its own evidence can bear.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import AnyStr

from msgspec import Struct, field

from mlops_scan.automation.graph import Automation, Started
from mlops_scan.automation.handed import Handed
from mlops_scan.automation.model import Run
from mlops_scan.automation.resolve import Resolver
from mlops_scan.ci.find import UnreadProvider
from mlops_scan.code.facts import Module
from mlops_scan.code.index import CodeIndex, Node
from mlops_scan.code.reach import MAX_HOPS
from mlops_scan.documents.listed import chosen, listed
from mlops_scan.documents.store import Documents
from mlops_scan.documents.text import decode
from mlops_scan.fingerprints.use import Use
from mlops_scan.regex import regex
from mlops_scan.repository.files import File
from mlops_scan.repository.listing import Repository
from mlops_scan.repository.roles import strip_template
from mlops_scan.rulebook import RuleBook
from mlops_scan.words import Evidence, Hop, Location, Problem, Role, Signal

ASIDE = frozenset({Role.TEST, Role.EXAMPLE, Role.DOCS, Role.VENDORED, Role.GENERATED})
"""Roles whose code is not the repository's own main code."""

_MAX_KEPT = 500_000  # characters of a text that is kept for its lines alone
_MAX_ALIKE = 3  # components of which each has a finding of its own
_MAX_SHOWN = 20
_BLOCK = 2048  # characters of which it is kept how many lines end in them

LEARNS = frozenset({"train", "tune"})
"""Activities that fit a model."""

ASSIGNED = regex(r"^([A-Za-z_]\w*)\s*=(?!=)")
"""How a line begins that gives a value a name."""

Detector = Callable[["Context"], Iterable[Signal | Problem]]


class Context(Struct):
    """The facts of one scan. Read-only for detectors."""

    repository: Repository
    documents: Documents
    index: CodeIndex
    rules: RuleBook
    uses: tuple[Use, ...]
    automation: Automation
    resolver: Resolver
    unread_providers: tuple[UnreadProvider, ...]
    handed: Handed
    parsed: frozenset[str]  # the files that were parsed before any detector asked
    by_node: dict[Node, list[Use]] = field(default_factory=dict)
    self_tools: frozenset[str] = frozenset()  # tools that this repository itself is
    components: tuple[str, ...] = (".",)  # the folders that are judged apart
    cache: dict[object, object] = field(default_factory=dict)  # what functions of the facts gave, see `kept`
    _leading: tuple[Run, ...] | None = None
    _commands: dict[tuple[str, ...], Run] = field(default_factory=dict)  # the first run of each command line
    _ends: dict[str, list[int]] = field(default_factory=dict)  # lines before each block of a file, as far as asked for
    _modules: dict[bool, tuple[tuple[str, Module], ...]] = field(default_factory=dict)  # with notebooks, without
    _by_path: dict[str, list[Use]] = field(default_factory=dict)
    _doing: dict[tuple[frozenset[str], bool], tuple[Use, ...]] = field(default_factory=dict)
    _nodes: dict[frozenset[str], frozenset[Node]] = field(default_factory=dict)
    _hops: dict[frozenset[str], dict[Node, int]] = field(default_factory=dict)
    _learning: dict[tuple[tuple[Node, ...], tuple[str, ...]], Use | None] = field(default_factory=dict)
    _component: dict[str, str] = field(default_factory=dict)  # by folder, with a slash at its end

    def __post_init__(self) -> None:
        grouped: dict[Node, list[Use]] = defaultdict(list)
        for use in self.uses:
            grouped[(use.location.path, use.scope)].append(use)
            self._by_path.setdefault(use.location.path, []).append(use)
        self.by_node = dict(grouped)

    # -- files and evidence ------------------------------------------------------------------------------------------

    def files(self, *, aside: bool = False) -> Iterator[File]:
        """The files, without tests, examples, docs, vendored and generated ones unless `aside`."""
        return (file for file in self.repository.files if aside or file.role not in ASIDE)

    def named(self, *names: str, aside: bool = False) -> list[File]:
        """The files of one of the names, as `files` has them."""
        return self._of(chosen(listed(self.documents).names, names), aside)

    def named_alike(self, names: Iterable[str], *, aside: bool = False) -> list[File]:
        """The files whose name in lower case is one of some names, as `files` has them."""
        return self._of(chosen(listed(self.documents).lower, names), aside)

    def ending(self, suffixes: Iterable[str], *, aside: bool = False) -> list[File]:
        """The files with one of the suffixes, which are in lower case, as `files` has them."""
        return self._of(chosen(listed(self.documents).suffixes, suffixes), aside)

    def written_in(self, *languages: str, aside: bool = False) -> list[File]:
        """The files in one of the languages of `language_of`, as `files` has them."""
        return self._of(chosen(listed(self.documents).languages, languages), aside)

    def _of(self, files: list[File], aside: bool) -> list[File]:
        return files if aside else [file for file in files if file.role not in ASIDE]

    def modules(self, *, notebooks: bool = True) -> Iterator[tuple[str, Module]]:
        """The Python modules of the repository's own main code by path, without notebooks unless `notebooks`."""
        if notebooks not in self._modules:
            self._modules[notebooks] = tuple(
                (path, module)
                for path, module in self.index.modules.items()
                if self.role(path) not in ASIDE and (notebooks or not module.notebook)
            )
        return iter(self._modules[notebooks])

    def uses_in(self, path: str) -> Sequence[Use]:
        """The uses in one file, in their order."""
        return self._by_path.get(path, ())

    def role(self, path: str) -> Role:
        """The role of a file."""
        file = self.documents.files.get(path)
        return file.role if file is not None else Role.SOURCE

    def has_named(self, name: str) -> bool:
        """Whether a file anywhere in the repository has that name."""
        return name in listed(self.documents).names

    @property
    def divided(self) -> bool:
        """Whether several folders are judged apart."""
        return len(self.components) > 1

    def component(self, path: str) -> str:
        """The innermost of the folders judged apart that holds a file; empty for none, and where all is one."""
        if not self.divided:
            return ""
        home = path.rpartition("/")[0] + "/"
        if home not in self._component:
            inside = [folder for folder in self.components if home.startswith(folder + "/")]
            self._component[home] = max(inside, key=len, default="")
        return self._component[home]

    def local(self, path: str) -> str:
        """The path as a rendered template would have it."""
        return strip_template(path)[0]

    def evidence(self, path: str, line: int, hop: Hop = Hop.DEFINITION, end_line: int = 0, text: str = "") -> Evidence:
        """Evidence with the source line as its text."""
        line = max(1, line)
        return Evidence(Location(path, line, end_line), hop, text or self.line(path, line), self.role(path))

    def line(self, path: str, line: int) -> str:
        """One line of a file, stripped and cut to 160 characters."""
        kept = self.documents.keeps(path)
        first = self.documents.first_line(path) if line == 1 and not kept else None
        if first is not None:
            return first.strip()[:160]
        content = self.documents.content(path)
        if not content:  # nor where the file has changed since, whatever is known of its lines
            return ""
        if len(content) > _MAX_KEPT and not kept:  # a table, of which hardly more than a line is asked
            self.documents.let_go(path, marked=False)
        ends = self._ends.get(path)
        if ends is None:
            ends = self._ends[path] = [0]
        if isinstance(content, str):
            found = _line(content, "\n", ends, line - 1)
        else:
            found = decode(_line(content, b"\n", ends, line - 1))
        return found.strip()[:160]

    def code(self, path: str, first: int, last: int) -> str:
        """Lines of a Python file as one text, without the comments at their ends."""
        return "\n".join(self.line(path, line).partition(" #")[0] for line in range(first, last + 1))

    def shown(self, evidence: Evidence) -> Evidence:
        """The same evidence with text and role filled in."""
        if evidence.text and evidence.role is not Role.SOURCE:
            return evidence
        where = evidence.location
        return Evidence(where, evidence.hop, evidence.text or self.line(where.path, where.line), self.role(where.path))

    # -- runs --------------------------------------------------------------------------------------------------------

    def leading(self) -> tuple[Run, ...]:
        """The runs that lead to something: code, tests, a pipeline or the use of a tool.

        Scripts and tasks that many jobs run may repeat thousands of commands that do none of it.
        """
        if self._leading is None:
            runs = self.automation.runs
            self._leading = tuple(run for run in runs if run.uses or run.entries or run.tests or run.pipelines)
        return self._leading

    def commands(self) -> Mapping[tuple[str, ...], Run]:
        """The command lines that automation runs, each once, with the first run that has it."""
        if not self._commands:
            for run in self.automation.runs:
                self._commands.setdefault(run.words, run)
        return self._commands

    # -- activities --------------------------------------------------------------------------------------------------

    def does(self, nodes: Iterable[Node], activities: frozenset[str] | set[str]) -> Use | None:
        """The first use among some nodes that performs one of the activities; of a set, the first by its place."""
        wanted = self.nodes_doing(activities)
        nodes = sorted(wanted & nodes) if isinstance(nodes, (set, frozenset)) else nodes
        if not wanted or (isinstance(nodes, dict) and nodes.keys().isdisjoint(wanted)):
            return None
        return next((self._use(node, activities) for node in nodes if node in wanted), None)

    def nodes_doing(self, activities: frozenset[str] | set[str]) -> frozenset[Node]:
        """The pieces of code that perform one of the activities themselves."""
        key = frozenset(activities)
        if key not in self._nodes:
            self._nodes[key] = frozenset((u.location.path, u.scope) for u in self.uses if not key.isdisjoint(u.does))
        return self._nodes[key]

    def _use(self, node: Node, activities: frozenset[str] | set[str]) -> Use:
        return next(use for use in self.by_node[node] if not activities.isdisjoint(use.does))

    def learns(self, run: Run) -> Use | None:
        """The nearest use that the code of a run reaches and that fits a model."""
        if not (run.entries or run.tests):
            return None
        key = (run.entries, run.tests)
        if key not in self._learning:
            self._learning[key] = self.does(self.automation.reached(run), LEARNS)
        return self._learning[key]

    def doing(self, *activities: str, aside: bool = False) -> Iterator[Use]:
        """All uses that perform one of the activities, in main code unless `aside`."""
        key = (frozenset(activities), aside)
        if key not in self._doing:
            self._doing[key] = tuple(
                use
                for use in self.uses
                if not key[0].isdisjoint(use.does) and (aside or self.role(use.location.path) not in ASIDE)
            )
        return iter(self._doing[key])

    def reaches(
        self, entries: Iterable[Node], activities: frozenset[str] | set[str], max_hops: int = MAX_HOPS
    ) -> Use | None:
        """The nearest use that running the entries reaches and that performs one of the activities.

        What `does(index.reach(entries, max_hops), activities)` gives, without following what leads to no such use.
        """
        wanted = self.nodes_doing(activities)
        if not wanted:
            return None
        key = frozenset(activities)
        if key not in self._hops:
            self._hops[key] = self.index.hops_to(wanted)
        entries = sorted(entries) if isinstance(entries, (set, frozenset)) else entries
        node = self.index.nearest(entries, wanted, self._hops[key], max_hops)
        return self._use(node, activities) if node is not None else None

    def started(self, path: str, scope: str = "") -> list[Started]:
        """What starts a piece of code."""
        return self.automation.started((path, scope))


def folded(context: Context, alike: Sequence[Problem]) -> Iterator[Problem]:
    """The same problem of several components: each, or one for all of many, with the places of the others."""
    if len(alike) <= _MAX_ALIKE:
        yield from alike
        return
    first, others = alike[0], alike[1:]
    shown = tuple(context.evidence(other.location.path, other.location.line) for other in others[:_MAX_SHOWN])
    message = f"{first.message} The same holds for {len(others)} other components."
    yield Problem(first.finding, message, first.location, (*first.related, *shown))


def unique(signals: Iterable[Signal]) -> Iterator[Signal]:
    """Signals without repeats of the same practice, tool and first location."""
    seen = set()
    for signal in signals:
        key = (signal.practice, signal.tool, signal.evidence[0].location if signal.evidence else None, signal.grade)
        if key not in seen:
            seen.add(key)
            yield signal


def _line(content: AnyStr, end: AnyStr, ends: list[int], above: int) -> AnyStr:
    """The line with so many lines above it, without its end; empty where there is none.

    `ends` has the lines that end before each block of the content, and grows: a line far down in a notebook with
    pictures is then found without looking at what stands above it again.
    """
    nothing = content[:0]
    if above < 0:
        return nothing
    while ends[-1] < above:
        block = (len(ends) - 1) * _BLOCK
        if block >= len(content):
            return nothing
        ends.append(ends[-1] + content.count(end, block, block + _BLOCK))
    block = max(0, bisect_left(ends, above) - 1)  # the one in which the line above ends
    start = block * _BLOCK
    for _ in range(above - ends[block]):
        start = content.index(end, start) + 1
    stop = content.find(end, start)
    return content[start : stop if stop >= 0 else None]
