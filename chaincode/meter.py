"""Meters and their keys."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from chaincode import keys
from chaincode.checks import check_own_name, check_text
from chaincode.errors import AlreadyExists, MalformedRequest, WrongSignature, WrongStatus
from chaincode.members.status import (
    end_obligation,
    note_obligation,
)
from chaincode.rights.certificate import UNREADABLE
from chaincode.rights.relation import Relation
from chaincode.transaction_context import TransactionContext
from zunft.v1.meter_pb2 import (
    METER_STATUS_ACTIVE,
    METER_STATUS_REVOKED,
    LocateMeter,
    Meter,
    MeterKey,
    RegisterMeter,
    RevokeMeter,
    RotateMeterKey,
)

MAX_KEYS = 1000


async def register(tx: TransactionContext, request: RegisterMeter) -> Meter:
    """meter.register: the caller's member becomes the meter's provider."""
    key = keys.meter(request.meter_id)
    loaded = await tx.load(key)

    check_own_name("meter_id", request.meter_id, tx.caller.msp_id)
    check_text("label", request.label)
    check_text("location", request.location)
    if loaded.has(key):
        raise AlreadyExists(f"meter {request.meter_id} is registered already: choose another name")
    check_possession(request.meter_id, request.public_key, request.possession_signature)

    meter = Meter(
        meter_id=request.meter_id,
        provider_msp_id=tx.caller.msp_id,
        label=request.label,
        location=request.location,
        status=METER_STATUS_ACTIVE,
        keys=[MeterKey(version=1, public_key=request.public_key)],
    )

    note_obligation(tx, meter.provider_msp_id, key)
    return _write(tx, "meter.register", meter)


async def rotate_key(tx: TransactionContext, request: RotateMeterKey) -> Meter:
    """meter.rotate_key: later batches need the new key; the earlier keys stay on record for audits."""
    meter = await _load_own(tx, request.meter_id)

    if len(meter.keys) >= MAX_KEYS:
        raise WrongStatus(f"meter {meter.meter_id} has had {MAX_KEYS} keys: register a new meter")
    if request.public_key in [key.public_key for key in meter.keys]:
        raise AlreadyExists(f"meter {meter.meter_id} had this key before: make a new one")
    check_possession(request.meter_id, request.public_key, request.possession_signature)

    meter.keys.add(version=len(meter.keys) + 1, public_key=request.public_key)

    return _write(tx, "meter.rotate_key", meter)


async def locate(tx: TransactionContext, request: LocateMeter) -> Meter:
    """meter.locate: writes the place where the machine is now."""
    meter = await _load_own(tx, request.meter_id)

    check_text("location", request.location)

    meter.location = request.location

    return _write(tx, "meter.locate", meter)


async def revoke(tx: TransactionContext, request: RevokeMeter) -> Meter:
    """meter.revoke: revokes the meter for good; no batch of it is charged any more, not even one signed before."""
    meter = await _load_own(tx, request.meter_id)

    meter.status = METER_STATUS_REVOKED

    end_obligation(tx, meter.provider_msp_id, keys.meter(meter.meter_id))
    return _write(tx, "meter.revoke", meter)


def possession_message(meter_id: str, public_key: bytes) -> bytes:
    """The bytes that a meter signs to prove that it holds the private key."""
    return b"zunft meter key|" + meter_id.encode() + b"|" + public_key


def check_possession(meter_id: str, public_key: bytes, signature: bytes) -> None:
    """Checks that it is an EC P-256 key and that its holder signed. Raises MalformedRequest, WrongSignature."""
    try:
        loaded = load_der_public_key(public_key)
    except UNREADABLE as error:
        raise MalformedRequest("public_key must be DER SubjectPublicKeyInfo") from error
    if not isinstance(loaded, ec.EllipticCurvePublicKey) or not isinstance(loaded.curve, ec.SECP256R1):
        raise MalformedRequest("public_key must be an EC P-256 key")
    try:
        loaded.verify(signature, possession_message(meter_id, public_key), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise WrongSignature("possession_signature is not by the private key of public_key") from error


async def _load_own(tx: TransactionContext, meter_id: str) -> Meter:
    """The caller's own meter, which must be active. Raises NotFound, Forbidden, WrongStatus."""
    key = keys.meter(meter_id)
    meter = (await tx.load(key)).require(key)

    tx.check_relation((Relation.PROVIDER, meter.provider_msp_id))
    if meter.status != METER_STATUS_ACTIVE:
        raise WrongStatus(f"meter {meter_id} is revoked: register a new one")
    return meter


def _write(tx: TransactionContext, name: str, meter: Meter) -> Meter:
    tx.put(keys.meter(meter.meter_id), meter)
    tx.emit(name, msp_ids=[meter.provider_msp_id])
    return meter
