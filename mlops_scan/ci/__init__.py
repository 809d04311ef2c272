"""CI/CD definitions of every provider, read into one form."""
