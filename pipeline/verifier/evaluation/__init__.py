"""How good a model is as a second reader, measured on drafts whose errors are known."""
