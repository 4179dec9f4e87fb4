"""``braintumor models``: what is bundled."""

from __future__ import annotations

import json

from braintumor_desktop.models.manifest import read_manifest


def run(*, as_json: bool) -> int:
    """Print the manifest's rows. Raises BrainTumorError (model_missing, model_damaged)."""
    rows = read_manifest()
    if as_json:
        print(json.dumps([row.as_dict() for row in rows.values()], ensure_ascii=False, indent=2))
        return 0
    for row in rows.values():
        print(f"{row.id} {row.version}{'  (default)' if row.default else ''}")
        print(f"  {row.title}")
        print(f"  input {row.input}; weights {row.file}, SHA-256 {row.sha256[:16]}…; licence {row.licence}")
        print(f"  trained on: {row.training_data}")
        for name, value in row.metrics.items():
            print(f"  {name}: {value:.3f}")
    return 0
