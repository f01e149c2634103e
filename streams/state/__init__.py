"""State of folds: cached in memory, kept on disk with the offset it belongs to."""
