"""Records and pure rules that every package shares."""
