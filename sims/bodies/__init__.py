"""Bodies of simulated worlds: arms, the shuttle, the quadrotor, and cameras that they carry."""
