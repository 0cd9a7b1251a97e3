"""Members' keys and certificates, their users and roles, renewal and revocation.

Begin with `member_keys.py`: all that one member has in its folder.
"""
