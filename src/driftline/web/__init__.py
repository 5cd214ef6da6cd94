"""A face: the JSON API, the pages and the invocation path over HTTP."""
