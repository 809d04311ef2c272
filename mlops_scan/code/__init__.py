"""Facts of Python code: extracted file by file, then resolved across the repository."""
