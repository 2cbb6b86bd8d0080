"""What ground software does with a PX4 multirotor, in small scripts of our own: each of MAVSDK-Python's examples that a
vehicle without cameras, gimbals and grippers can take, by its name."""
