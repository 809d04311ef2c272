"""The R code of an R Markdown or Quarto document: its chunks, as one text with the lines of the document.

https://rmarkdown.rstudio.com/lesson-3.html, https://quarto.org/docs/computations/r.html
"""

from __future__ import annotations

from mlops_scan.documents.bounds import check_size, unix_lines
from mlops_scan.regex import regex

_OPENS = regex(r"\s*(`{3,}|~{3,})\s*\{[rR]\b([^\n]*)\}\s*", words=("{r",))
_NOT_RUN = regex(r"\beval\s*[=:]\s*(F|FALSE|false|no)\b", words=("eval",))


def code(text: str) -> str:
    """The R chunks of a document that are run, every other line left empty.

    Raises DocumentError for more than 2 MB.
    """
    check_size(text)
    found: list[str] = []
    fence = ""
    runs = True
    for line in unix_lines(text).split("\n"):
        kept = ""
        if fence:
            if line.strip().startswith(fence):
                fence = ""
            elif line.startswith("#|") and _NOT_RUN.search(line):
                runs = False  # Quarto writes the options of a chunk at its head
            elif runs:
                kept = line
        elif (opening := _OPENS.fullmatch(line)) is not None:
            fence = opening[1]
            runs = _NOT_RUN.search(opening[2]) is None
        found.append(kept)
    return "\n".join(found)
