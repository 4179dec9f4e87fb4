"""What outlives a run: the settings, and what readers drew and said. No Qt widgets, no patient data."""
