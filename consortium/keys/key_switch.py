"""A new key and certificate in the place of old ones, which are moved aside and never deleted.

<folder>/<stem>.pem, .key                       what is in use
         next/<stem>.pem, .key                  made, and not in use yet
         former/<stem>-<serial number>.pem, .key   what was in use before

No two files can be renamed at once. The key is switched before its certificate, so that a certificate that waits
without its key stands for a switch that was interrupted: `complete` goes on with it.
"""

from __future__ import annotations

import os
from contextlib import suppress

from consortium.files import make_private_folder
from consortium.keys.certificates import KeyPair
from consortium.keys.key_files import KeyFiles


def prepare(files: KeyFiles, pair: KeyPair) -> KeyFiles:
    """Puts the new pair beside the old one, in the place of one that was prepared before."""
    complete(files)
    following = next_of(files)
    make_private_folder(following.key_path.parent)
    following.certificate_path.unlink(missing_ok=True)
    following.key_path.unlink(missing_ok=True)
    following.write(pair)
    return following


def switch(files: KeyFiles) -> None:
    """Puts what was prepared in the place of what is in use. Raises UnreadableCertificate."""
    _keep(files)
    following = next_of(files)
    following.key_path.replace(files.key_path)
    complete(files)


def complete(files: KeyFiles) -> None:
    """The rest of a switch that was interrupted; nothing where there was none."""
    following = next_of(files)
    if following.certificate_path.exists() and not following.key_path.exists():
        # Another process may have completed it in this moment.
        with suppress(FileNotFoundError):
            following.certificate_path.replace(files.certificate_path)


def put_aside(files: KeyFiles) -> None:
    """Out of use, with nothing in their place. Raises UnreadableCertificate."""
    _keep(files)
    # The certificate last: as long as it is there, this can be tried again.
    files.key_path.unlink(missing_ok=True)
    files.certificate_path.unlink()


def next_of(files: KeyFiles) -> KeyFiles:
    """Where a pair waits for its turn."""
    return _beside(files, "next", files.certificate_path.stem)


def former_of(files: KeyFiles) -> list[KeyFiles]:
    """What was in use before, of this holder alone; also what was put aside. Raises UnreadableCertificate."""
    stem = files.certificate_path.stem
    found = (files.certificate_path.parent / "former").glob(f"{stem}-*.pem")
    kept = [KeyFiles(path, path.with_suffix(".key")) for path in sorted(found)]
    # Another holder's name may begin alike.
    return [one for one in kept if one.certificate_path.stem == _kept_stem(stem, one)]


def _keep(files: KeyFiles) -> None:
    """Under the serial number as well, which no other certificate of the member has."""
    former = _beside(files, "former", _kept_stem(files.certificate_path.stem, files))
    make_private_folder(former.key_path.parent)
    for path, kept in ((files.key_path, former.key_path), (files.certificate_path, former.certificate_path)):
        # The key may be lost, and both be kept since an attempt before.
        with suppress(FileNotFoundError, FileExistsError):
            os.link(path, kept)


def _kept_stem(stem: str, files: KeyFiles) -> str:
    return f"{stem}-{files.certificate().serial_number:x}"


def _beside(files: KeyFiles, part: str, stem: str) -> KeyFiles:
    folder = files.certificate_path.parent / part
    return KeyFiles(folder / f"{stem}.pem", folder / f"{stem}.key")
