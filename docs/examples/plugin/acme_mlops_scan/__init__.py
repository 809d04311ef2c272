"""A worked example of plug-ins for mlops-scan: one detector and one report format."""
