"""Members' keys and certificates, their users and roles, renewal and revocation.

Begin with `member_keys.py`: all keys that one member has in its folder.
"""
