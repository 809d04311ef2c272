"""From signals to grades, levels, findings and the report."""
