"""The files of a source: listed, named by role, read on demand."""
