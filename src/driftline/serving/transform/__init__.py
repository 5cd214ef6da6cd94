"""A model over whole files: filters, predictions, joins and ids, a column at a time."""
