"""Positioned, error-tolerant parsers: one module a language or format."""
