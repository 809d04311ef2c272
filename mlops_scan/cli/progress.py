"""How long each stage of a scan takes, and on a terminal which one a long scan is at."""

from __future__ import annotations

import sys
import threading
import time

from mlops_scan.code.workers import PROGRESS

_LABELS = {
    "list": "listing files",
    "rules": "reading the rules",
    "sweep": "looking for what matters",
    "code": "reading code",
    "documents": "reading definitions",
    "automation": "following commands",
    "wiring": "following what starts what",
    "detect": "looking for practices",
    "grade": "grading",
}
_PATIENCE = 1.0  # seconds before anything is shown
_PERIOD = 0.2  # seconds between two looks at the stage


class Stages:
    """Takes the stages of one scan. `shown` shows the present one on standard error once a second has passed."""

    def __init__(self, shown: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self._begun = self._since = time.perf_counter()
        self._name = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._show, name=PROGRESS, daemon=True) if shown else None
        if self._thread is not None:
            self._thread.start()

    def begin(self, name: str) -> None:
        """A stage begins; the one before it is over."""
        self._close()
        self._name = name

    def end(self) -> None:
        """The scan is over; what was shown is wiped away."""
        self._close()
        self.seconds["total"] = time.perf_counter() - self._begun
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _close(self) -> None:
        now = time.perf_counter()
        if self._name:
            self.seconds[self._name] = self.seconds.get(self._name, 0.0) + now - self._since
        self._name, self._since = "", now

    def _show(self) -> None:
        if self._over.wait(_PATIENCE):
            return
        while not self._over.wait(_PERIOD):
            seconds = time.perf_counter() - self._begun
            sys.stderr.write(f"\r\x1b[2K{_LABELS.get(self._name, self._name)} … {seconds:.0f} s")
            sys.stderr.flush()
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()
