"""The command line: reads arguments, calls flows and services, prints the results."""
