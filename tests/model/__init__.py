"""What the counters must be, told without the folds: a batch recount, and events to try it on."""
