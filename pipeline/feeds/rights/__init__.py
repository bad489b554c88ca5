"""Whether a publisher reserves its texts: declarations of feeds, pages and sites; one decision."""
