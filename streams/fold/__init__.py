"""Folds: how they are declared, and how they run in memory."""
