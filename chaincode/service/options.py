"""The options of the service's command line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from chaincode.service.errors import UnreadableFile, WrongOption
from chaincode.shim import DEFAULT_TIMEOUT_S, ServerTls

PROGRAM = "python -m chaincode"

# Fabric: core/chaincode/persistence, LabelRegexp; the hash is the package's SHA-256.
_CHAINCODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*:[0-9a-f]{64}")
_LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Options:
    """The options; `listen` is HOST:PORT, and `code_digest` is empty where any code is right."""

    listen: str
    chaincode_id: str
    msp_id: str
    tls: ServerTls
    timeout_s: int
    code_digest: bytes


def read_options(words: Sequence[str]) -> Options:
    """The options that the command line gives. Raises WrongOption, UnreadableFile."""
    given = _parser().parse_args(words)
    return Options(
        listen=given.listen,
        chaincode_id=given.chaincode_id,
        msp_id=given.msp_id,
        tls=_read_tls(given.tls_key, given.tls_certificate, given.client_roots),
        timeout_s=given.timeout_s,
        code_digest=given.code_digest,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongOption(f"{message}; {PROGRAM} --help shows all options")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(PROGRAM, description="Runs Zunft's contract for a member's peers.", allow_abbrev=False)
    add = parser.add_argument
    add("--listen", required=True, type=_address, metavar="HOST:PORT", help="where the peers dial in")
    add("--chaincode-id", required=True, type=_chaincode_id, metavar="LABEL:HASH", help="the installed package's id")
    add("--msp-id", required=True, type=_text, metavar="MSPID", help="the member whose peers it serves")
    add("--tls-key", required=True, type=Path, metavar="FILE", help="PEM")
    add("--tls-certificate", required=True, type=Path, metavar="FILE", help="PEM; names HOST")
    add("--client-roots", required=True, type=Path, metavar="FILE", help="PEM; peers show a certificate from these")
    patience = "how long a transaction may take; the peers' chaincode.executetimeout"
    add("--timeout-s", default=DEFAULT_TIMEOUT_S, type=_seconds, metavar="SECONDS", help=patience)
    add("--code-digest", default=b"", type=_digest, metavar="HEX", help="refuse to start as any other contract")
    return parser


def _address(word: str) -> str:
    host, _, port = word.rpartition(":")
    if not (host and port.isdecimal() and int(port) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{word!r} is not HOST:PORT, such as 0.0.0.0:9999")
    return word


def _chaincode_id(word: str) -> str:
    if not _CHAINCODE_ID.fullmatch(word):
        raise argparse.ArgumentTypeError(
            f"{word!r} is not LABEL:HASH, as the peer named the package when installing it"
        )
    return word


def _text(word: str) -> str:
    if not word:
        raise argparse.ArgumentTypeError("it is empty")
    return word


def _seconds(word: str) -> int:
    if not (word.isdecimal() and int(word)):
        raise argparse.ArgumentTypeError(f"{word!r} is not a number of seconds from 1 on")
    return int(word)


def _digest(word: str) -> bytes:
    if not re.fullmatch("[0-9a-f]{64}", word):
        raise argparse.ArgumentTypeError(f"{word!r} is not a SHA-256 digest in hex, 64 digits")
    return bytes.fromhex(word)


def _read_tls(key_path: Path, certificate_path: Path, roots_path: Path) -> ServerTls:
    """The server's TLS files, checked, since gRPC's own error would not say what is wrong. Raises UnreadableFile."""
    tls = ServerTls(_read(key_path), _read(certificate_path), _read(roots_path))
    try:
        key = serialization.load_pem_private_key(tls.key, password=None)
    except (ValueError, TypeError) as error:
        raise UnreadableFile(f"{key_path} holds no unencrypted PEM private key") from error
    certificate = _certificates(certificate_path, tls.certificate)[0]
    _certificates(roots_path, tls.client_roots or b"")
    if certificate.public_key() != key.public_key():
        raise UnreadableFile(f"{key_path} is not the key of {certificate_path}: name the two that were made together")
    return tls


def _certificates(path: Path, pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise UnreadableFile(f"{path} holds no PEM certificate") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot read {path}: {error.strerror}") from error
