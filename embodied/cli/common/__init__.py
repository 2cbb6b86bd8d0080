"""What several verbs share: output, completion, pictures of messages, connections to running graphs."""
