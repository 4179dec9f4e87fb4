"""What each command of the command line does. Thin: they assemble the rooms and print."""
