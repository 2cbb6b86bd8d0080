"""Motion: kinematics, set-points, grasps and path following."""
