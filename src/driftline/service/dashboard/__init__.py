"""What pages ask that concerns more than one noun: one module a page."""
