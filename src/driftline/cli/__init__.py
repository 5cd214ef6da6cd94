"""A face: the command line, one module a noun."""
