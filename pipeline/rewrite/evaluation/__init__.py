"""Evaluation of a prompt: scores of answers over a golden set of items."""
