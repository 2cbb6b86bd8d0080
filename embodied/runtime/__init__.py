"""Running a plan: the lockstep runner, and what it shares with the live one."""
