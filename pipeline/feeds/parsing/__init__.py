"""Parses feed documents (RSS, RDF, Atom, JSON Feed) to items."""
