"""The command line: it reads arguments, calls flows and pipeline, and says what happened."""
