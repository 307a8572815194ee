"""Pages for people: what runs, what ran, and why it failed."""
