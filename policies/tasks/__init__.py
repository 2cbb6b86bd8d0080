"""Tasks: state machines and learned policies, from the start of a job to its end."""
