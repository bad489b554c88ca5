"""The second reader: its request, its answer, and the confirming of its objections by code. Pure.

Imported only by services; may import checks, rewrite, articles, llm and what is below them, not publishing.
"""
