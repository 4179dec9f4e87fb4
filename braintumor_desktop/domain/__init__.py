"""What the program talks about: studies, findings, measurements and errors. Pure Python and NumPy."""
