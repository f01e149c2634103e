"""The demo: a network's traffic, counted while a worker is killed, then recounted."""
