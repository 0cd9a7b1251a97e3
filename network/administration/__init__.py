"""The requests of a member's admin to its own orderer and peer."""
