"""How long `mlops-scan --version` takes, against importing click alone. Prints the best of some runs."""

from __future__ import annotations

import subprocess
import sys
import time

RUNS = 20


def best(*arguments: str) -> float:
    """The shortest time of RUNS processes, in milliseconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main() -> None:
    """Print both figures and their ratio."""
    click = best("-c", "import click")
    version = best("-m", "mlops_scan", "--version")
    print(f"import click {click:.0f} ms, mlops-scan --version {version:.0f} ms, ratio {version / click:.2f}")


if __name__ == "__main__":
    main()
