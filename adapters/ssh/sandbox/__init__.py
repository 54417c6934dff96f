"""A sandbox runs commands that reach no file, process or network of this machine."""
