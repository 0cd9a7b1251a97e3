"""A new key and certificate in the place of old ones, which are moved aside and never deleted.

<folder>/<stem>.pem, .key                       the pair in use
         next/<stem>.pem, .key                  a pair that was made and is not in use yet
         former/<stem>-<serial number>.pem, .key   pairs that were in use before

Two files cannot be renamed in one step. The key is switched before its certificate: a certificate in next/ without its
key means that a switch was interrupted, and `complete` finishes it.
"""

from __future__ import annotations

import os
from contextlib import suppress

from consortium.files import make_private_folder
from consortium.keys.certificates import KeyPair
from consortium.keys.key_files import KeyFiles


def prepare(files: KeyFiles, pair: KeyPair) -> KeyFiles:
    """Writes the new pair beside the old one; it replaces a pair that was prepared before."""
    complete(files)
    following = next_of(files)
    make_private_folder(following.key_path.parent)
    following.certificate_path.unlink(missing_ok=True)
    following.key_path.unlink(missing_ok=True)
    following.write(pair)
    return following


def switch(files: KeyFiles) -> None:
    """Puts the prepared pair in the place of the pair in use, which is kept. Raises UnreadableCertificate."""
    _keep(files)
    following = next_of(files)
    following.key_path.replace(files.key_path)
    complete(files)


def complete(files: KeyFiles) -> None:
    """Finishes a switch that was interrupted, if there was one."""
    following = next_of(files)
    if following.certificate_path.exists() and not following.key_path.exists():
        # Another process may complete it at the same moment.
        with suppress(FileNotFoundError):
            following.certificate_path.replace(files.certificate_path)


def put_aside(files: KeyFiles) -> None:
    """Moves the pair in use to the former ones, with nothing in its place. Raises UnreadableCertificate."""
    _keep(files)
    # The certificate goes last: as long as it is there, this can be repeated.
    files.key_path.unlink(missing_ok=True)
    files.certificate_path.unlink()


def next_of(files: KeyFiles) -> KeyFiles:
    """The files of the pair that was made and is not in use yet."""
    return _beside(files, "next", files.certificate_path.stem)


def former_of(files: KeyFiles) -> list[KeyFiles]:
    """The pairs of this holder that were in use before or were put aside. Raises UnreadableCertificate."""
    stem = files.certificate_path.stem
    found = (files.certificate_path.parent / "former").glob(f"{stem}-*.pem")
    kept = [KeyFiles(path, path.with_suffix(".key")) for path in sorted(found)]
    # Another holder's name may begin with this stem.
    return [one for one in kept if one.certificate_path.stem == _kept_stem(stem, one)]


def _keep(files: KeyFiles) -> None:
    """Links the pair in use to former/, under its serial number, which no other certificate of the member has."""
    former = _beside(files, "former", _kept_stem(files.certificate_path.stem, files))
    make_private_folder(former.key_path.parent)
    for path, kept in ((files.key_path, former.key_path), (files.certificate_path, former.certificate_path)):
        # The key may be lost, and an earlier attempt may have linked both already.
        with suppress(FileNotFoundError, FileExistsError):
            os.link(path, kept)


def _kept_stem(stem: str, files: KeyFiles) -> str:
    return f"{stem}-{files.certificate().serial_number:x}"


def _beside(files: KeyFiles, part: str, stem: str) -> KeyFiles:
    folder = files.certificate_path.parent / part
    return KeyFiles(folder / f"{stem}.pem", folder / f"{stem}.key")
