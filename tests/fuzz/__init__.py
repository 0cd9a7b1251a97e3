"""Valid nonsense by the thousand: nodes and audits read transactions changed in every layer and marked as VALID.

`make fuzz N=1000000` reads a million transactions; the suite reads a few thousand, from a seed.
"""
