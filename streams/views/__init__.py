"""Results read back from their topics: by key, all of them, or the highest."""
