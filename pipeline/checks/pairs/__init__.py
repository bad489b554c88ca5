"""Draft sentences beside the source sentences that they rest on, and contradictions between the two."""
