"""The model families that can be run: one small file of facts each, found by being here (docs/add-a-model-family.md)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

from dawn.errors import ModelError
from dawn.models.families.base import FamilySpec


def stated() -> Iterator[FamilySpec]:
    """The SPEC, or the SPECS, of every file, in the order of the files' names."""
    for one in sorted(iter_modules(__path__, __name__ + "."), key=lambda one: one.name):
        module = import_module(one.name)
        yield from [module.SPEC] if hasattr(module, "SPEC") else getattr(module, "SPECS", ())


SPECS: tuple[FamilySpec, ...] = tuple(stated())


def recognise(config: dict) -> FamilySpec:
    """The family of a checkpoint, from the contents of its config.json alone; ModelError for any other architecture."""
    kind = config.get("model_type")
    found = [spec for spec in SPECS if spec.model_type == kind]
    if len(found) > 1:
        raise ModelError(f"{len(found)} files of dawn/models/families describe the model type {kind!r}: remove all but one")
    if not found:
        known = ", ".join(spec.model_type for spec in SPECS)
        raise ModelError(f"the architecture {kind!r:.40} is not supported: known model types are {known}")
    found[0].require(config)
    return found[0]


__all__ = ["SPECS", "FamilySpec", "recognise"]
