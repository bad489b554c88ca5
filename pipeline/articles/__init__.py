"""Articles as files: front matter, Markdown body, paths, atomic writes."""
