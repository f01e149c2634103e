"""The `streams` command: one module a verb, and what verbs share to read and print."""
