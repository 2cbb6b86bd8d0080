"""Parts shared by verbs: launch options, output, completion, run folders, connections to running graphs."""
