"""Foreign links, contact details, calls to action and text that is no article."""
