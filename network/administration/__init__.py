"""What a member's admin asks of its orderer and of its peer, and what a peer knows of others."""
