"""What pages ask a service for: compound reads, one module a noun."""
