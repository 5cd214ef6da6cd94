"""An account of the original service, read and made again here."""
