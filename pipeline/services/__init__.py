"""Use cases, one module each: the only place that composes feeds, model, checks, storage and files."""
