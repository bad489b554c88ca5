"""The newsroom as plain functions: it knows nothing of Prefect, the desk or the command line."""
