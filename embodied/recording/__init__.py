"""Recording: pictures, videos and timelines of a run."""
