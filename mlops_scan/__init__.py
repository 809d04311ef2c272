"""Infer the MLOps maturity of a repository from what its files really do."""

__version__ = "0.1.0"
