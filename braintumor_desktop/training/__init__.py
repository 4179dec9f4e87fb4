"""Training and evaluation. Never imported by the program, never frozen."""
