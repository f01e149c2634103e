"""Speed, measured on a real broker; correctness is tested elsewhere."""
