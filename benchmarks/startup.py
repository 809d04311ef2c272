"""How long `mlops-scan --version` takes, against importing click alone. Prints the best of some runs.

python benchmarks/startup.py
"""

from __future__ import annotations

import subprocess
import sys
import time

RUNS = 20


def figures(runs: int = RUNS) -> dict[str, float]:
    """The shortest time of each in milliseconds, and their ratio; the runs alternate, so both see the same load."""
    times: dict[str, list[float]] = {"click": [], "version": []}
    for _ in range(runs):
        times["click"].append(_once("-c", "import click"))
        times["version"].append(_once("-m", "mlops_scan", "--version"))
    click, version = min(times["click"]), min(times["version"])
    return {"click": click, "version": version, "ratio": version / click}


def _once(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def line(found: dict[str, float]) -> str:
    """The figures as a sentence."""
    return (
        f"import click {found['click']:.0f} ms, mlops-scan --version {found['version']:.0f} ms, "
        f"ratio {found['ratio']:.2f}"
    )


if __name__ == "__main__":
    print(line(figures()))
