"""Everything that depends on a device: where a network is put and in which numbers, what memory there is, what to say when
it runs out, and the one transfer of a step's results to the host."""

from __future__ import annotations

import gc
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from dawn.errors import ModelError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
QUANTISED = {"8bit": 1.0, "4bit": 0.5}  # bytes per weight
DEVICE_MAPS = ("auto", "balanced", "sequential")
SMALL = 2 * 2**30  # bytes of weights up to which a CPU computes in float32
GIB = 2**30
T = TypeVar("T")
LESS = "choose a smaller model, --dtype bfloat16, --load-in 4bit on a GPU, or a machine with more memory"
SHORTER = "shorten the prompt or the generation length, or choose a smaller model"
OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "Cannot allocate memory")


@dataclass(frozen=True, slots=True)
class Placement:
    """What the user asked for. dtype: auto or one of DTYPES. device: auto, cpu, cuda, cuda:N, mps. load_in: None, 8bit or 4bit.
    device_map: None, or how accelerate spreads the layers over all devices."""

    dtype: str = "auto"
    device: str = "auto"
    load_in: str | None = None
    device_map: str | None = None

    def __post_init__(self):
        for name, value, known in (
            ("dtype", self.dtype, ("auto", *DTYPES)),
            ("load_in", self.load_in, (None, *QUANTISED)),
            ("device_map", self.device_map, (None, *DEVICE_MAPS)),
        ):
            if value not in known:
                raise ModelError(f"{name} must be one of {', '.join(map(str, known))}, not {value!r:.40}")
        if self.load_in:
            require("bitsandbytes", f"--load-in {self.load_in}")
        if self.load_in or self.device_map:
            require("accelerate", f"--load-in {self.load_in}" if self.load_in else f"--device-map {self.device_map}")

    def pick_device(self) -> torch.device:
        """The device asked for, or the best there is; ModelError if it is not there."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu")
        try:
            device = torch.device(self.device)
        except RuntimeError:
            raise ModelError(f"unknown device {self.device!r:.40}: choose auto, cpu, cuda, cuda:0 … or mps") from None
        if device.type == "cuda" and not torch.cuda.is_available():
            raise ModelError("no CUDA device was found: choose --device cpu, or install a PyTorch with CUDA and its driver")
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise ModelError(f"there is no {device}: this machine has {torch.cuda.device_count()} CUDA devices, counted from 0")
        if device.type == "mps" and not torch.mps.is_available():
            raise ModelError("no Apple GPU (mps) was found: choose --device cpu")
        if device.type not in ("cpu", "cuda", "mps"):
            raise ModelError(f"the device {device} is not supported: choose auto, cpu, cuda, cuda:0 … or mps")
        return device

    def pick_dtype(self, device: torch.device, stored: torch.dtype, size: int) -> torch.dtype:
        """The numbers to compute in. auto: float32 for small checkpoints (of `size` bytes) on a CPU, else as stored."""
        if self.dtype != "auto":
            return DTYPES[self.dtype]
        if device.type == "cpu" and size <= SMALL:
            return torch.float32
        return torch.float16 if stored == torch.bfloat16 and not has_bfloat16(device) else stored

    def bytes_needed(self, size: int, stored: torch.dtype, dtype: torch.dtype) -> float:
        """Of weights that take `size` bytes as stored."""
        return size * QUANTISED.get(self.load_in, dtype.itemsize) / stored.itemsize

    def arguments(self, device: torch.device, dtype: torch.dtype) -> dict:
        """The placement in transformers' words. Without accelerate a network is loaded on the CPU and has to be moved."""
        result: dict = {"dtype": dtype}
        if self.device_map or self.load_in or (device.type != "cpu" and find_spec("accelerate")):
            result["device_map"] = self.device_map or {"": device}
        if self.load_in:
            from transformers import BitsAndBytesConfig

            bits = {f"load_in_{self.load_in}": True}
            result["quantization_config"] = BitsAndBytesConfig(**bits, bnb_4bit_compute_dtype=dtype, bnb_4bit_quant_type="nf4")
        return result


def require(package: str, option: str) -> None:
    """ModelError unless an optional package is installed."""
    if find_spec(package) is None:
        raise ModelError(f"{option} needs the package {package}: pip install {package}")


def has_bfloat16(device: torch.device) -> bool:
    try:
        return device.type != "cuda" or torch.cuda.is_bf16_supported()
    except RuntimeError:  # a Space's GPU comes only when it is used; it is a recent one
        return True


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be taken on a device; None where nobody says."""
    if device.type == "cuda":
        try:
            return torch.cuda.mem_get_info(device)[0]
        except RuntimeError:  # as above
            return None
    limits = [limit for limit in (machine_memory(), container_memory()) if limit is not None]
    return min(limits) if limits and device.type == "cpu" else None


def machine_memory(path: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that Linux says are available; None elsewhere."""
    return meminfo("MemAvailable", path)


def meminfo(name: str, path: Path) -> int | None:
    """Bytes of one of Linux's figures; None elsewhere."""
    if not path.is_file():
        return None
    fields = dict(line.split(":", 1) for line in path.read_text().splitlines())
    return int(fields[name].split()[0]) * 1024


def container_memory(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes left of a container's limit, its file cache counted as free; None without a limit."""
    try:
        limit, used = (folder / "memory.max").read_text().strip(), int((folder / "memory.current").read_text())
        counts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except OSError:
        return None
    return None if limit == "max" else int(limit) - used + int(counts["inactive_file"])


def require_memory(needed: float, device: torch.device) -> None:
    """ModelError if weights of `needed` bytes cannot fit."""
    free = free_memory(device)
    if free is not None and needed > free:
        raise ModelError(
            f"not enough memory on {device}: the weights need {needed / GIB:.1f} GiB and {free / GIB:.1f} GiB are free: {LESS}"
        )


def within_memory(work: Callable[[], T], advice: str) -> T:
    """What `work` returns. If the memory does not suffice: a ModelError with advice, and what was held in vain is freed."""
    try:
        return work()
    except (MemoryError, RuntimeError, OSError) as error:
        if not is_out_of_memory(error):
            raise
    free_cache()  # here, where the error and the tensors in its frames are gone
    raise ModelError(f"out of memory: {advice}")


def is_out_of_memory(error: BaseException) -> bool:
    """torch says it in different words on each device, and the system in its own."""
    known = isinstance(error, (MemoryError, torch.OutOfMemoryError))
    return known or any(words in str(error) for words in OUT_OF_MEMORY)


def free_cache() -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def leave_a_core() -> None:
    """Compute on all cores but one, on one at least: a server needs that one, and threads on one core wait for each other.
    OMP_NUM_THREADS, if set, is obeyed instead."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, torch.get_num_threads() - 1))


def to_host(tensors: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """float32 and integer tensors as numpy arrays (float32, int32), by one transfer in all; by none if they are there."""
    whole = {name: t if t.dtype == torch.float32 else t.to(torch.int32) for name, t in tensors.items()}
    return {name: t.numpy() for name, t in whole.items()} if on_host(whole) else transferred(whole)


def on_host(tensors: dict[str, torch.Tensor]) -> bool:
    """Whether nothing has to be transferred."""
    return all(tensor.device.type == "cpu" for tensor in tensors.values())


def transferred(whole: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """float32 and int32 tensors of any device as numpy arrays: packed into one tensor there, unpacked here."""
    device = next(iter(whole.values())).device
    packed = torch.cat([t.contiguous().view(torch.int32).flatten().to(device) for t in whole.values()]).cpu().numpy()
    ends = np.cumsum([t.numel() for t in whole.values()])
    parts = np.split(packed, ends[:-1])
    return {
        name: (part.view(np.float32) if t.dtype == torch.float32 else part).reshape(t.shape)
        for (name, t), part in zip(whole.items(), parts, strict=True)
    }


def machine() -> dict[str, str]:
    """What this machine is, by name and in words: processor, memory, accelerator, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    total = total_memory()
    return {
        "Processor": f"{platform.machine()}, {cores} {'core' if cores == 1 else 'cores'}",
        "Memory": f"{total / GIB:.0f} GiB" if total else "unknown",
        "Accelerator": accelerator(),
        "PyTorch": torch.__version__,
        "transformers": version("transformers"),
        "Python": platform.python_version(),
    }


def accelerator() -> str:
    """The names of the GPUs that are here."""
    if torch.cuda.is_available():
        return ", ".join(map(torch.cuda.get_device_name, range(torch.cuda.device_count())))
    return "Apple GPU" if torch.mps.is_available() else "none"


def total_memory(path: Path = Path("/proc/meminfo"), folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes of the machine, or of the container if that has a limit; None where nobody says."""
    whole = meminfo("MemTotal", path)
    limit = (folder / "memory.max").read_text().strip() if (folder / "memory.max").is_file() else "max"
    return whole if whole is None or limit == "max" else min(whole, int(limit))


def describe(network) -> str:
    """Where a network is and in which numbers, in a few words."""
    return f"{network.device}, {str(network.dtype).removeprefix('torch.')}"
