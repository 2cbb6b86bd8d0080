"""Runtime: the lockstep runner, and what it shares with the live runner."""
