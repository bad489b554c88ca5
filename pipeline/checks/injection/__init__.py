"""Kind `injection`: what a prompt injection in a source may leave in a draft."""
