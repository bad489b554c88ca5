"""The client of an OpenAI-compatible server: chat completions and structured output."""
