"""A second reader's questions, and the confirmation of its objections by code."""
