"""A YAML text that ends with its author's certificate and signature, so that a reader sees that no byte was changed.

The signature is ECDSA over SHA-256 of everything before its own line, in base64 (RFC 4648, section 4).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from chaincode.rights.certificate import read_certificate
from consortium.errors import BrokenSignature
from consortium.keys.certificates import KeyPair
from consortium.yaml_tree import (
    Tree,
    WrongFile,
    parse_yaml,
)

_SIGNATURE = b"signature: "


@dataclass(frozen=True, slots=True)
class SignedText:
    """The fields of a text, and the certificate that has signed them; nobody has checked whose certificate it is."""

    fields: Mapping[str, Tree]
    author: x509.Certificate


def sign_text(fields: Mapping[str, Any], author: KeyPair) -> bytes:
    """The signed file: the fields, the author's certificate and the signature."""
    document = {**fields, "certificate": author.certificate_pem.decode()}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()
    signature = author.key.sign(text, ec.ECDSA(hashes.SHA256()))
    return text + _SIGNATURE + base64.b64encode(signature) + b"\n"


def read_signed_text(data: bytes) -> SignedText:
    """The text in a signed file. Raises BrokenSignature."""
    text, _, last = data.rpartition(_SIGNATURE)
    try:
        fields = parse_yaml(text, "the text").entries(required=("certificate",))
        author = read_certificate(fields["certificate"].text().encode())
        _check(author.public_key(), text, last)
    except (WrongFile, KeyError, TypeError, ValueError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise BrokenSignature("its author has not signed it, or it was changed afterwards") from error
    return SignedText(fields, author)


def _check(key: object, text: bytes, last: bytes) -> None:
    """Checks the signature in the last line. Raises InvalidSignature, ValueError."""
    try:
        signature = base64.b64decode(last.removesuffix(b"\n"), validate=True)
    except binascii.Error as error:
        raise InvalidSignature from error
    # Base64 can write the same bytes in several ways; only one of them is accepted.
    if not isinstance(key, ec.EllipticCurvePublicKey) or base64.b64encode(signature) + b"\n" != last:
        raise InvalidSignature
    key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
