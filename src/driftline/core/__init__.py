"""Pure nouns: records, windows, verdicts, documents, states, cron, errors. No file, socket, clock or randomness."""
