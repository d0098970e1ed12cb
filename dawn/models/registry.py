"""Where models come from: the embedded one by name, others by their hub name or the folder of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dawn.errors import ModelError
from dawn.models.checkpoint import Checkpoint
from dawn.models.denoiser import TransformersDenoiser
from dawn.models.device import Placement
from dawn.models.families import recognise
from dawn.models.hub import FACTS, HUB_NAME, WEIGHTS, Report, fetch, silent
from dawn.models.loading import prepared
from dawn.models.resident import Resident, State

EMBEDDED = "embedded"
EMBEDDED_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "model"
ON_THE_HUB = (
    "GSAI-ML/LLaDA-8B-Base",
    "GSAI-ML/LLaDA-8B-Instruct",
    "GSAI-ML/LLaDA-1.5",
    "Dream-org/Dream-v0-Base-7B",
    "Dream-org/Dream-v0-Instruct-7B",
    "dllm-hub/Qwen3-0.6B-diffusion-mdlm-v0.1",
    "fredzzp/open-dcoder-0.5B",
)
RESIDENT = Resident()


def known_models() -> tuple[str, ...]:
    """Names that `load_model` is known to take; other checkpoints of their families can be named too."""
    return (EMBEDDED, *ON_THE_HUB)


def model_state(name: str) -> State:
    """How a model stands: ready, loading, failed or not loaded."""
    return RESIDENT.state(name)


def embedded_tokenizer():
    """The embedded model's tokenizer: its counts define which problems belong to the task."""
    return Checkpoint.read(EMBEDDED_FOLDER).tokenizer()


def load_model(
    name: str,
    *,
    dtype: str = "auto",
    device: str = "auto",
    load_in: str | None = None,
    device_map: str | None = None,
    report: Report = silent,
) -> TransformersDenoiser:
    """The model called `name`: `embedded`, a name on the hub, or a folder. The former one is let go before it is loaded.

    dtype, device, load_in, device_map: as in `Placement`. report: told what is being done, and how much of it is.
    ModelError says what is wrong and what to do; nothing that was resident before is in use then.
    """
    placement = Placement(dtype, device, load_in, device_map)
    return RESIDENT.get(name, (name, placement), lambda report: prepare(name, placement, report), report)


def prepare(name: str, placement: Placement, report: Report) -> Callable[[], TransformersDenoiser]:
    """Find and check a checkpoint; what is returned loads it."""
    device = placement.pick_device()
    folder = local_folder(name) or fetch(name, FACTS, report)
    spec = recognise(Checkpoint.read(folder).config)  # before gigabytes are downloaded
    checkpoint = Checkpoint.read(local_folder(name) or fetch(name, WEIGHTS, report))
    return prepared(name, checkpoint, spec, placement, device)


def local_folder(name: str) -> Path | None:
    """The folder that a name means; None for a name on the hub; ModelError for what is neither."""
    folder = EMBEDDED_FOLDER if name == EMBEDDED else Path(name)
    if (folder / "config.json").is_file():
        return folder
    if folder.is_dir():
        raise ModelError(f"unknown model {name!r:.80}: the folder holds no config.json, so it is no checkpoint")
    if HUB_NAME.fullmatch(name):
        return None
    raise ModelError(
        f"unknown model {name!r:.80}: give {EMBEDDED}, a hub name such as {ON_THE_HUB[1]}, or a checkpoint's folder"
    )
