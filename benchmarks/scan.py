"""How long whole-process scans take, how much memory they need and what they read; POSIX only.

    python benchmarks/scan.py                                # mixed trees of 100, 1 000 and 10 000 files
    python benchmarks/scan.py --shapes all --files 1000 60000
    python benchmarks/scan.py PATH [PATH ...]                # these folders
    python benchmarks/scan.py --check                        # the sizes of the published bounds; exit 1 beyond one
    python benchmarks/scan.py --json figures.json --parts 4 --rivals

Wall time is the median of some runs, start of the interpreter included. `first` is the first scan of a tree by a
program that has run before, `cold` has an empty cache folder, `repeat` scans the same tree again. docs/performance.md
says more.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the script's own folder is there already

from benchmarks import bounds, rivals, startup
from benchmarks.processes import Figures, combined, run
from benchmarks.trees import SEED, SHAPES, link, split, tree

SIZES = (100, 1_000, 10_000)
CHECKED_SIZES = (100, 350, 5_000, 20_000, 59_000)
_SEMGREP_FILES = 2_000  # larger trees take semgrep minutes


@dataclass(frozen=True, slots=True)
class Subject:
    """A tree to measure on, and how the figures of several trees belong together."""

    name: str
    path: Path
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is measured and how often."""

    runs: int
    jobs: str | None
    parts: int
    rivals: bool
    semgrep: str | None
    work: Path


class Scanner:
    """Scans in processes of their own, with a cache folder that nobody else uses."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._rules = settings.work / "rules-cache"
        tiny = settings.work / "tiny"
        tiny.mkdir(parents=True)
        (tiny / "a.py").write_text("X = 1\n")
        self._scan(tiny, self._rules)
        self.has_timings = "--timings" in self._help()

    def first(self, path: Path, watched: bool = False) -> Figures:
        """One scan that finds the rules in the cache and nothing of the tree."""
        with tempfile.TemporaryDirectory(dir=self._settings.work) as cache:
            shutil.copytree(self._rules, cache, dirs_exist_ok=True)
            return self._scan(path, Path(cache), watched=watched)

    def cold(self, path: Path) -> Figures:
        """One scan with an empty cache folder."""
        with tempfile.TemporaryDirectory(dir=self._settings.work) as cache:
            return self._scan(path, Path(cache))

    def repeats(self, path: Path, runs: int) -> Figures:
        """Scans of a tree that has been scanned."""
        with tempfile.TemporaryDirectory(dir=self._settings.work) as cache:
            self._scan(path, Path(cache))
            return combined([self._scan(path, Path(cache)) for _ in range(runs)])

    def profile(self, path: Path) -> tuple[dict[str, int], dict[str, float]]:
        """The statistics of the JSON report, and the seconds of each stage where the program tells them."""
        output, errors = self._settings.work / "report.json", self._settings.work / "errors.txt"
        more = ["--timings"] if self.has_timings else []
        with tempfile.TemporaryDirectory(dir=self._settings.work) as cache:
            shutil.copytree(self._rules, cache, dirs_exist_ok=True)
            self._scan(path, Path(cache), "-f", f"json:{output}", *more, errors=errors)
        found: dict[str, int] = json.loads(output.read_text(encoding="utf-8"))["statistics"]
        return found, stages(errors.read_text(encoding="utf-8", errors="replace"))

    def _scan(self, path: Path, cache: Path, *more: str, watched: bool = False, errors: Path | None = None) -> Figures:
        words = [sys.executable, "-m", "mlops_scan", "scan", str(path), "--isolated", *(more or ("-q",))]
        if self._settings.jobs is not None:
            words += ["-j", self._settings.jobs]
        # Both, because platformdirs asks XDG_CACHE_HOME on Linux and the home folder on macOS.
        figures = run(words, {"XDG_CACHE_HOME": str(cache), "HOME": str(cache)}, watched, errors)
        if figures.code:
            raise SystemExit(f"{' '.join(words)} ended with exit code {figures.code}")
        return figures

    def _help(self) -> str:
        words = [sys.executable, "-m", "mlops_scan", "scan", "--help"]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def stages(text: str) -> dict[str, float]:
    """The lines `stage seconds` of a text."""
    found = {}
    for line in text.splitlines():
        name, _, seconds = line.strip().rpartition(" ")
        try:
            found[name.strip()] = float(seconds)
        except ValueError:
            continue
    return found


def measure(subject: Subject, scanner: Scanner, settings: Settings) -> dict[str, Any]:
    """All figures of one tree."""
    statistics, profile = scanner.profile(subject.path)
    first = combined([scanner.first(subject.path) for _ in range(settings.runs)])
    watched = scanner.first(subject.path, watched=True)
    result: dict[str, Any] = {
        "name": subject.name,
        "shape": subject.shape,
        **statistics,
        "first": first.seconds,
        "cold": combined([scanner.cold(subject.path) for _ in range(settings.runs)]).seconds,
        "repeat": scanner.repeats(subject.path, settings.runs).seconds,
        "memory": max(first.memory, watched.memory),
        "family_memory": watched.family,
        "stages": profile,
    }
    if settings.parts > 1:
        result.update(_parts(subject, scanner, settings))
    if settings.rivals:
        result.update(_rivals(subject, statistics["files"], settings))
    return result


def _parts(subject: Subject, scanner: Scanner, settings: Settings) -> dict[str, Any]:
    """The time of the tree, and of its parts one after the other."""
    names = listed(subject.path)
    with tempfile.TemporaryDirectory(dir=settings.work) as folder:
        whole = Path(folder) / "whole"
        for name in names:
            link(subject.path / name, whole / name)
        folders = split(names, subject.path, Path(folder), settings.parts)
        together = combined([scanner.first(whole) for _ in range(settings.runs)]).seconds
        apart = sum(combined([scanner.first(part) for _ in range(settings.runs)]).seconds for part in folders)
    return {"whole": together, "parts": apart, "part_count": settings.parts}


def listed(root: Path) -> list[str]:
    """The regular files below a folder, without links and git's own folder, in path order."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        here = Path(folder)
        found += [
            (here / name).relative_to(root).as_posix()
            for name in files
            if (here / name).is_file() and not (here / name).is_symlink()
        ]
    return sorted(found)


def _rivals(subject: Subject, files: int, settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    searched = rivals.ripgrep(subject.path, settings.runs)
    if searched is None:
        _skipped("ripgrep (`rg`) is not installed")
    else:
        found["rg"] = searched.seconds
    if files > _SEMGREP_FILES:
        _skipped(f"semgrep is run on trees of at most {_SEMGREP_FILES} files; {subject.name} has {files}")
    elif (checked := rivals.semgrep(subject.path, settings.work, settings.semgrep)) is None:
        _skipped("semgrep is not installed; `--semgrep PROGRAM` names one elsewhere")
    else:
        found["semgrep"] = checked.seconds
    return found


def _skipped(reason: str) -> None:
    print(f"SKIPPED: {reason}", file=sys.stderr, flush=True)


# -- output ----------------------------------------------------------------------------------------------------------

_HEAD = (
    f"{'tree':<28} {'files':>7} {'parsed':>7} {'MB read':>8} {'first s':>8} {'cold s':>8} {'repeat s':>8} "
    f"{'MiB':>5} {'family':>6}"
)


def row(result: dict[str, Any]) -> str:
    """One line of the table, and the comparisons below it."""
    family = f"{result['family_memory']:6.0f}" if result["family_memory"] else "     -"
    lines = [
        f"{result['name']:<28} {result['files']:>7} {result['files_parsed']:>7} {result['bytes_read'] / 1e6:>8.2f} "
        f"{result['first']:>8.2f} {result['cold']:>8.2f} {result['repeat']:>8.2f} {result['memory']:>5.0f} {family}"
    ]
    if result["stages"]:
        lines.append("    " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in result["stages"].items()))
    if "parts" in result:
        ratio = result["whole"] / result["parts"]
        lines.append(
            f"    tree {result['whole']:.2f} s / {result['part_count']} parts {result['parts']:.2f} s = {ratio:.2f}"
        )
    lines += [
        f"    {name} {result[name]:.2f} s, scan / {name} = {result['first'] / result[name]:.2f}"
        for name in ("rg", "semgrep")
        if name in result
    ]
    return "\n".join(lines)


def growth(results: Sequence[dict[str, Any]]) -> dict[str, float]:
    """For each shape with several sizes, by which power of the number of files the time grows."""
    found = {}
    for shape in dict.fromkeys(result["shape"] for result in results if result["shape"]):
        points = [(result["files"], result["first"]) for result in results if result["shape"] == shape]
        slope = bounds.exponent(points)
        if slope is not None:
            found[shape] = slope
    return found


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    return {"processors": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}


# -- command ---------------------------------------------------------------------------------------------------------


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("paths", nargs="*", type=Path, metavar="PATH", help="folders to scan instead of generated trees")
    add("--files", nargs="+", type=int, metavar="N", help=f"sizes of the generated trees [{' '.join(map(str, SIZES))}]")
    add("--shapes", nargs="+", choices=(*SHAPES, "all"), default=["mixed"], metavar="SHAPE", help=", ".join(SHAPES))
    add("--seed", type=int, default=SEED)
    add("--trees", type=Path, metavar="DIR", help="keep the generated trees here, and use those that are here")
    add("--git", action="store_true", help="make the generated trees git repositories")
    add("--runs", type=int, default=5)
    add("--jobs", metavar="N", help="processes that parse code [the program's own choice]")
    add("--parts", type=int, default=0, metavar="K", help="compare with the sum over K parts of each tree")
    add("--rivals", action="store_true", help="compare with ripgrep and semgrep")
    add("--semgrep", metavar="PROGRAM", help="the semgrep to compare with")
    add("--json", type=Path, metavar="FILE", help="write the figures here as well")
    add("--check", action="store_true", help="compare with the published bounds; implies --rivals and --parts 4")
    return parser.parse_args(words)


def subjects(options: argparse.Namespace, folder: Path) -> list[Subject]:
    """The trees to measure, generated one by one where they are not there yet."""
    if options.paths:
        return [Subject(path.resolve().name, path.resolve()) for path in options.paths]
    sizes = options.files or (CHECKED_SIZES if options.check else SIZES)
    shapes = SHAPES if "all" in options.shapes else options.shapes
    found = []
    for shape in shapes:
        for size in sizes:
            path = tree(
                (options.trees or folder).resolve() / f"{shape}-{size}-{options.seed}", size, shape, options.seed
            )
            if options.git and not (path / ".git").exists():
                subprocess.run(["git", "init", "-q"], cwd=path, check=True)
                subprocess.run(["git", "add", "-A"], cwd=path, check=True)
            found.append(Subject(f"{shape} {size}", path, shape))
    return found


def main() -> int:
    """Print the table; the exit code says whether a bound is exceeded."""
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            runs=options.runs,
            jobs=options.jobs,
            parts=options.parts or (4 if options.check else 0),
            rivals=options.rivals or options.check,
            semgrep=options.semgrep,
            work=Path(folder) / "work",
        )
        scanner = Scanner(settings)
        if not scanner.has_timings:
            _skipped("this version has no --timings: no profile of the stages")
        results: dict[str, Any] = {"machine": machine(), "trees": []}
        if options.check:
            results["startup"] = startup.figures()
            print(startup.line(results["startup"]))
        print(_HEAD, flush=True)
        for subject in subjects(options, Path(folder) / "trees"):
            results["trees"].append(measure(subject, scanner, settings))
            print(row(results["trees"][-1]), flush=True)
    results["growth"] = growth(results["trees"])
    for shape, slope in results["growth"].items():
        print(f"{shape}: time grows with files to the power of {slope:.2f}")
    checked = bounds.check(results) if options.check else []
    results["checks"] = [
        {"what": c.what, "figure": c.figure, "bound": c.bound, "goal": c.goal, "verdict": c.verdict} for c in checked
    ]
    for item in checked:
        goal = f" (goal {item.goal:g})" if item.goal is not None else ""
        print(f"{item.verdict:<8} {item.what}: {item.figure:.2f}, bound {item.bound:g}{goal}")
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 1 if any(item.verdict == "FAILS" for item in checked) else 0


if __name__ == "__main__":
    sys.exit(main())
