"""From a source to an article: the prompt and the parsed answer, or the offline brief without a model."""
