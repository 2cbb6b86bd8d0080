"""Input from outside, handled within bounds: files that a user brings, and text of others in messages."""
