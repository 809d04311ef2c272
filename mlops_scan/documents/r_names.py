"""How names of R code are written where they stand beside those of Python; `r_syntax` says why."""

from __future__ import annotations

ROOT = "R"
"""The root of all names that code in R takes from elsewhere."""
UNKNOWN = "_"
"""The package of a function that may be of any."""
ANONYMOUS = "_function_"
"""How the names begin that functions without one are given."""
