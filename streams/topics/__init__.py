"""What is declared: projects, catalogs, topics and keys; and making the cluster agree."""
