"""Many runs by one command, on one machine or several."""
