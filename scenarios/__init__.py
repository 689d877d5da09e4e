"""How a norm is probed: scenarios as pages of data, and the compiler that makes them a suite."""
