"""Model runtimes, endpoints and the capture log."""
