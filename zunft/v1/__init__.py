"""Version 1 of the messages and calls, generated from `proto/zunft/v1` by `make proto`."""
