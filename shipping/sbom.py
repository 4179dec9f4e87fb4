"""The bundle's bill of materials, CycloneDX 1.6 as JSON (ECMA-424)."""

import hashlib
import json
import time
import uuid
from pathlib import Path

from braintumor_desktop.licences import Notice


def cyclonedx(notices: list[Notice], weights: list[dict], version: str, made_at: int) -> str:
    """notices: every bundled work; weights: rows of the manifest; made_at: seconds since the epoch."""
    components = [_library(notice) for notice in notices]
    components += [
        {
            "type": "machine-learning-model",
            "bom-ref": f"weights/{row['file']}",
            "name": row["id"],
            "version": row["version"],
            "hashes": [{"alg": "SHA-256", "content": row["sha256"]}],
            "licenses": [{"license": {"name": row["licence"]}}],
        }
        for row in weights
    ]
    body = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made_at)),
            "component": {
                "type": "application",
                "bom-ref": "braintumor-desktop",
                "name": "braintumor-desktop",
                "version": version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            },
        },
        "components": components,
        "dependencies": [{"ref": "braintumor-desktop", "dependsOn": [part["bom-ref"] for part in components]}],
    }
    # The serial number is made from the contents, so that the same build has the same one.
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    return json.dumps({"serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=4)}", **body}, indent=2) + "\n"


def _library(notice: Notice) -> dict:
    part = {
        "type": "library",
        "bom-ref": f"{notice.name}@{notice.version}",
        "name": notice.name,
        "licenses": [{"license": {"name": notice.licence}}],
    }
    if notice.version:
        part["version"] = notice.version
    if notice.purl:
        part["purl"] = notice.purl
    return part


def sha256_sums(folder: Path) -> str:
    """Of every file below a folder, as `sha256sum -c` reads them; links are left out."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    lines = []
    for file in files:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        lines.append(f"{digest}  {file.relative_to(folder).as_posix()}\n")
    return "".join(lines)
