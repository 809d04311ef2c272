"""The JSON of a shields.io endpoint badge. <https://shields.io/badges/endpoint-badge>"""

from __future__ import annotations

import json

from mlops_scan.engine.report import Report
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.tally import badge_words


def render(report: Report, options: RenderOptions) -> str:
    """Label, message and colour; nothing scanned is in it."""
    message, color = badge_words(report)
    badge = {"schemaVersion": 1, "label": "MLOps maturity", "message": message, "color": color}
    return json.dumps(badge, indent=2) + "\n"
