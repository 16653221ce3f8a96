"""The page: results/index.html, from records and templates, in English and Spanish."""
