"""The model families that can be run: one small file of facts each. To add one, write such a file and name it in SPECS."""

from __future__ import annotations

from dawn.errors import ModelError
from dawn.models.families import a2d, dream, llada, llama, open_dcoder
from dawn.models.families.base import FamilySpec

SPECS: tuple[FamilySpec, ...] = (llada.SPEC, dream.SPEC, *a2d.SPECS, open_dcoder.SPEC, llama.SPEC)


def recognise(config: dict) -> FamilySpec:
    """The family of a checkpoint, from the contents of its config.json alone; ModelError for any other architecture."""
    kind = config.get("model_type")
    found = [spec for spec in SPECS if spec.model_type == kind]
    if not found:
        known = ", ".join(spec.model_type for spec in SPECS)
        raise ModelError(f"the architecture {kind!r:.40} is not supported: known model types are {known}")
    found[0].require(config)
    return found[0]


__all__ = ["SPECS", "FamilySpec", "recognise"]
