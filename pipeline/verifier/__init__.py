"""Will hold the second reader: it questions a draft, and code confirms its objections. Empty until then.

Imported only by services; may import checks, rewrite, llm and the packages below them, not publishing.
"""
