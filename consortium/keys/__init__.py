"""Members' keys and certificates, their users and roles, renewal and revocation.

Begin with `member_keys.py`: all keys that one member has in its folder.
"""

__all__ = [
    "certificates",
    "key_files",
    "member_keys",
    "member_material",
    "msp_folder",
    "renewal",
    "revocation",
    "revoking",
    "signed_text",
    "users",
]
