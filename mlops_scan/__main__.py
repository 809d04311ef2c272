"""`python -m mlops_scan`."""

from mlops_scan.cli.main import main

if __name__ == "__main__":
    main()
