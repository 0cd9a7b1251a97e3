"""A YAML text that ends with its author's certificate and signature. Whoever reads it can say that no byte was changed.

The signature is ECDSA over SHA-256, of all that stands before its line; see RFC 4648, section 4, for its form there.
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
    WrongFile,
    parse_yaml,
)

_SIGNATURE = b"signature: "


@dataclass(frozen=True, slots=True)
class SignedText:
    """`author` is the certificate that the text itself shows; whose it is and whether to trust it is not said."""

    fields: Mapping[str, Any]
    author: x509.Certificate


def sign_text(fields: Mapping[str, Any], author: KeyPair) -> bytes:
    """The whole file."""
    document = {**fields, "certificate": author.certificate_pem.decode()}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()
    signature = author.key.sign(text, ec.ECDSA(hashes.SHA256()))
    return text + _SIGNATURE + base64.b64encode(signature) + b"\n"


def read_signed_text(data: bytes) -> SignedText:
    """Raises BrokenSignature."""
    text, _, last = data.rpartition(_SIGNATURE)
    try:
        fields = parse_yaml(text, "the text").plain()
        author = read_certificate(str(fields["certificate"]).encode())
        _check(author.public_key(), text, last)
    except (WrongFile, KeyError, TypeError, ValueError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise BrokenSignature("it is not signed by whoever made it, or was changed afterwards") from error
    return SignedText(fields, author)


def _check(key: object, text: bytes, last: bytes) -> None:
    """Raises InvalidSignature, ValueError."""
    try:
        signature = base64.b64decode(last.removesuffix(b"\n"), validate=True)
    except binascii.Error as error:
        raise InvalidSignature from error
    # The same bytes can be written in other ways.
    if not isinstance(key, ec.EllipticCurvePublicKey) or base64.b64encode(signature) + b"\n" != last:
        raise InvalidSignature
    key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
