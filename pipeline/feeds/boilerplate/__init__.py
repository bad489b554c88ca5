"""Takes what is no part of a story out of its text: by what repeats, by structure, by lists of lines."""
