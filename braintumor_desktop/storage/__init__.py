"""What outlives a run: the settings. No Qt widgets, no patient data."""
