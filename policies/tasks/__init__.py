"""Tasks: policies that carry a job from its start to its end."""
