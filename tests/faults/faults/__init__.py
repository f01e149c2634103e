"""The faults, a family a file."""
