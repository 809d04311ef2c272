"""What a script led to, kept for all that come to it in the same state, and the counts that bound what is followed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable

from msgspec import Struct

from mlops_scan.automation.chain import MAX_HOPS, Chain, Mark
from mlops_scan.automation.model import Run
from mlops_scan.documents.shell_model import ShellScript

_MAX_ALIKE = 50  # what is kept of one state with different variables


class Followed(Struct, frozen=True):
    """What a script once led to: another start that comes to it in the same state leads to the same.

    `hops` is the length of the chain that came to it then, `seen` and `spent` are what it cost of the bounds, `asked`
    are the variables of its environment that it, or what it led to, asked for, with the values that they had. `tested`
    is what was asked to have been entered on the way, `entered` what of it was. From `depth` hops of a chain it went
    `deeper` hops further.
    """

    script: ShellScript  # held, so that its id stays its own
    runs: tuple[Run, ...]
    hops: int
    seen: int
    spent: int
    asked: dict[str, str | None]
    tested: frozenset[str]
    entered: frozenset[str]
    depth: int
    deeper: int

    def fits(self, chain: Chain) -> bool:
        """Whether a chain in the same state leads to the same: all that was asked of the other has the same answer."""
        if chain.hops != self.depth and max(chain.hops, self.depth) + self.deeper >= MAX_HOPS:
            return False
        if self.tested & chain.seen != self.entered:
            return False
        get = chain.env.get
        return all(get(name) == value for name, value in self.asked.items())

    def again(self, chain: Chain) -> list[Run]:
        """The same runs at the end of another chain."""
        return [
            Run(
                chain.start,
                run.words,
                run.location,
                chain.evidence + run.chain[self.hops :],
                run.uses,
                run.entries,
                run.tests,
                run.pipelines,
                run.missing,
                run.unresolved,
                chain.swallowed or run.swallowed,
                run.folder,
            )
            for run in self.runs
        ]


def state(script: ShellScript, path: str, is_file: bool, chain: Chain) -> Hashable:
    """What decides where a script leads, but for what `Followed.fits` compares, and the start and hops on the way."""
    return (
        id(script),
        path,
        is_file,
        chain.folder,
        chain.inside_image,
        chain.astray,
        bool(chain.swallowed),  # a failure that is lost already is lost for all that follows, for the same reason
    )


class Ledger:
    """What scripts led to, by the state in which they were come to."""

    def __init__(self) -> None:
        self._known: dict[Hashable, list[Followed]] = defaultdict(list)

    def find(self, key: Hashable, chain: Chain) -> Followed | None:
        """What was led to from a state (see `state`) by a chain that differs in nothing that matters."""
        return next((known for known in self._known.get(key, ()) if known.fits(chain)), None)

    def keep(self, key: Hashable, script: ShellScript, runs: list[Run], chain: Chain, before: Mark) -> None:
        """Keep what a script led to; `before` is the mark of the chain's budget when it was come to."""
        if len(self._known[key]) >= _MAX_ALIKE:
            return  # a matrix of values: to look for one would take longer than to follow the script
        budget = chain.budget
        names = {name for names in budget.asked[before.asked :] for name in names}
        tested = frozenset(budget.tested[before.tested :])
        self._known[key].append(
            Followed(
                script,
                tuple(runs),
                hops=len(chain.evidence),
                seen=budget.seen - before.seen,
                spent=before.left - budget.left,
                asked={name: chain.env.get(name) for name in sorted(names)},
                tested=tested,
                entered=tested & chain.seen,
                depth=chain.hops,
                deeper=budget.deepest - chain.hops,
            )
        )


class Shares:
    """How many steps and commands were followed, for each file that starts them and in all."""

    def __init__(self) -> None:
        self._of_file: Counter[str] = Counter()
        self._in_all = 0

    def exhausted(self, path: str, of_file: int, in_all: int) -> str:
        """Count one more that the file at `path` starts; which bound it exceeds, or empty."""
        self._of_file[path] += 1
        self._in_all += 1
        if self._of_file[path] > of_file:
            return f"{of_file:,} commands of one file".replace(",", " ")
        return f"{in_all:,} commands".replace(",", " ") if self._in_all > in_all else ""

    def cut(self, chain: Chain, of_file: int, in_all: int) -> bool:
        """Whether a bound has kept something of a chain from being followed."""
        over = self._of_file[chain.start.evidence.location.path] > of_file or self._in_all > in_all
        return over or chain.budget.left < 0

    def affords(self, known: Followed, chain: Chain, of_file: int, in_all: int) -> bool:
        """Count what a script leads to as if it were followed; false, with nothing counted, where a bound cuts it."""
        path, budget = chain.start.evidence.location.path, chain.budget
        if self._of_file[path] + known.seen > of_file or self._in_all + known.seen > in_all:
            return False
        if budget.left < known.spent:
            return False
        self._of_file[path] += known.seen
        self._in_all += known.seen
        budget.left -= known.spent
        budget.seen += known.seen
        budget.asked.append(frozenset(known.asked))
        budget.tested.extend(known.tested)
        budget.deepest = max(budget.deepest, chain.hops + known.deeper)
        return True
