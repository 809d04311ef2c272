"""How tools show themselves: the rules' patterns matched against code, documents, names and commands."""
