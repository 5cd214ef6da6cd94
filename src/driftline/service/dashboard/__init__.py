"""What pages show together, read in one go: one module a noun. Everything is asked for by index and with a limit."""
