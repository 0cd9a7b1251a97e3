"""The whole of pay-per-use in under a minute, on this computer. Begin with story.py."""
