"""From a source to an article: prompt, model call and its answer, or the offline brief."""
