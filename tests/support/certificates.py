"""Certificates for tests, made by openssl: of authorities, servers and clients."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Certificate(NamedTuple):
    """Two PEM files."""

    cert: Path
    key: Path


def make_certificate(
    folder: Path, name: str, *, subject: str = "", names: str = "", by: Certificate | None = None
) -> Certificate:
    """Make `name` in `folder`, good for a day: made out to `names` (`DNS:…,IP:…`), signed `by` an authority or by itself."""
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
    ]
    command += ["-keyout", str(made.key), "-out", str(made.cert), "-subj", f"/CN={subject or name}"]
    if names:
        command += ["-addext", f"subjectAltName={names}"]
    if by is not None:
        command += ["-CA", str(by.cert), "-CAkey", str(by.key), "-addext", "basicConstraints=critical,CA:false"]
    subprocess.run(command, check=True, capture_output=True)
    return made
