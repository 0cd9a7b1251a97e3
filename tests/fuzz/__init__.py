"""Valid nonsense by the thousand: what nodes and audits read is changed in every layer, and marked as VALID.

`make fuzz N=1000000` reads so many transactions; the suite a few thousand, from a seed.
"""
