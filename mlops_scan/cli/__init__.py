"""The command line: one module a command. Importing it costs next to nothing; see `main`."""
