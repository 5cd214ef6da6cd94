"""Programs of other people in processes of their own: a bare environment, limits, and an end that is an end."""
