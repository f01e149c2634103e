"""Services on the reference domain; each one is a folder, and none imports another."""
