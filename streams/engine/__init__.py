"""Workers: they poll, fold, commit in transactions, checkpoint, and recover; and what runs them."""
