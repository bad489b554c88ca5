"""Records, errors and pure rules that every package shares."""
