"""What the buckets of clouds take: stores and keys, trying again, causes of failures, checksums."""
