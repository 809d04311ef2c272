"""A badge as SVG, to be committed or served by oneself; it needs no network and no font of its own."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from mlops_scan.engine.report import Report
from mlops_scan.reports import RenderOptions
from mlops_scan.reports.tally import badge_words

_LABEL = "MLOps maturity"
# dark enough behind white text (WCAG 2.2 AA, 4.5 : 1)
_COLORS = {
    "lightgrey": "#6a6a6a",
    "orange": "#b7410e",
    "yellow": "#8a6a00",
    "yellowgreen": "#5b7a00",
    "green": "#2e7d1f",
    "brightgreen": "#157a3c",
}
_NARROW, _WIDE = frozenset("ijlftr.,:;'!|I ()[]1"), frozenset("mwMWO@%")
_PADDING = 6


def render(report: Report, options: RenderOptions) -> str:
    """Two boxes, label and message; `textLength` keeps the text inside them whatever the font."""
    message, color = badge_words(report)
    left, right = _width(_LABEL), _width(message)
    total = left + right
    name = f"{_LABEL}: {message}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" viewBox="0 0 {total} 20" role="img" '
        f"aria-label={quoteattr(name)}>\n"
        f"<title>{escape(name)}</title>\n"
        f'<clipPath id="round"><rect width="{total}" height="20" rx="3"/></clipPath>\n'
        '<g clip-path="url(#round)">\n'
        f'<rect width="{left}" height="20" fill="#444"/>\n'
        f'<rect x="{left}" width="{right}" height="20" fill="{_COLORS[color]}"/>\n'
        "</g>\n"
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">\n'
        f"{_text(_LABEL, _PADDING, left)}\n"
        f"{_text(message, left + _PADDING, right)}\n"
        "</g>\n"
        "</svg>\n"
    )


def _text(text: str, x: int, box: int) -> str:
    return (
        f'<text x="{x}" y="14" textLength="{box - 2 * _PADDING}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )


def _width(text: str) -> int:
    """About the width of the text in 11 px Verdana, with the padding of its box."""
    widths = (4 if letter in _NARROW else 9 if letter in _WIDE else 7 for letter in text)
    return round(sum(widths)) + 2 * _PADDING
