"""meter: register, rotate_key, locate, revoke. Batches of a rotated or revoked meter are in test_usage.py."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from chaincode import keys
from chaincode.errors import (
    AlreadyExists,
    ContractError,
    Forbidden,
    MalformedRequest,
    NotFound,
    WrongSignature,
    WrongStatus,
)
from tests.conformance.scene import Scene, refusals
from tests.harness import HandMeter
from tests.harness.hand_meter import public_bytes
from zunft.v1.meter_pb2 import METER_STATUS_ACTIVE, METER_STATUS_REVOKED, RegisterMeter

DRILL = HandMeter("drill-1")
OTHER = HandMeter("drill-2")


def registration(**changes: object) -> RegisterMeter:
    """The registration of a meter that is not registered yet."""
    request = HandMeter("drill-9").registration()
    for field, value in changes.items():
        setattr(request, field, value)
    return request


def register(scene: Scene, request: RegisterMeter) -> None:
    scene.maker.call("meter.register", request)


def foreign_curve() -> RegisterMeter:
    key = ec.derive_private_key(7, ec.SECP384R1())
    return registration(public_key=public_bytes(key), possession_signature=b"")


def test_a_meter_is_registered_moved_rekeyed_and_revoked(scene: Scene) -> None:
    meter = HandMeter("press-1")
    first, second = public_bytes(meter.key(1)), public_bytes(meter.key(2))

    scene.maker.register(meter)
    scene.maker.locate(meter, "hall 7, row 2")
    scene.maker.rotate(meter)

    record = scene.consortium.read(keys.meter("press-1"))
    assert (record.provider_msp_id, record.label) == ("MakerMSP", "Meter press-1")
    assert (record.location, record.status) == ("hall 7, row 2", METER_STATUS_ACTIVE)
    assert [(key.version, key.public_key) for key in record.keys] == [(1, first), (2, second)]

    scene.maker.revoke(meter)
    assert scene.consortium.read(keys.meter("press-1")).status == METER_STATUS_REVOKED
    for act in (scene.maker.revoke, scene.maker.rotate, lambda meter: scene.maker.locate(meter, "dump")):
        scene.refuses(WrongStatus, lambda act=act: act(meter))


def test_names_are_given_once(scene: Scene) -> None:
    scene.maker.register(DRILL)
    scene.maker.register(OTHER)
    scene.refuses(AlreadyExists, lambda: scene.forge.register(DRILL))
    scene.refuses(AlreadyExists, lambda: scene.maker.rotate(DRILL, version=1))


@refusals(
    ("rotate another's", Forbidden, lambda s: s.factory.rotate(DRILL)),
    ("locate another's", Forbidden, lambda s: s.factory.locate(DRILL, "hall 2")),
    ("revoke another's", Forbidden, lambda s: s.factory.revoke(DRILL)),
    ("revoke none", NotFound, lambda s: s.maker.revoke(HandMeter("drill-8"))),
    ("locate beyond print", MalformedRequest, lambda s: s.maker.locate(DRILL, "hall\n2")),
    ("register a path", MalformedRequest, lambda s: register(s, HandMeter("../x").registration())),
    ("register a page of label", MalformedRequest, lambda s: register(s, registration(label="x" * 257))),
    ("register without a key", MalformedRequest, lambda s: register(s, registration(public_key=b""))),
    ("register a key of another curve", MalformedRequest, lambda s: register(s, foreign_curve())),
    ("register another's key", WrongSignature, lambda s: register(s, registration(meter_id="drill-10"))),
    ("register a key that one lacks", WrongSignature, lambda s: register(s, registration(possession_signature=b"x"))),
)
def test_refused(scene: Scene, error: type[ContractError], attempt: Callable[[Scene], object]) -> None:
    scene.refuses(error, lambda: attempt(scene))
