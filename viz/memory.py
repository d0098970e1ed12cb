"""What this process holds of the machine's memory, and what it can give back."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

PAGE = 4096  # bytes of memory that Linux counts by


def resident(path: Path = Path("/proc/self/statm")) -> int | None:
    """Bytes that this process holds, as Linux says; None elsewhere."""
    return int(path.read_text().split()[1]) * PAGE if path.is_file() else None


def give_back() -> None:
    """Return free pages to the system. glibc keeps those that lie between small arrays in use: a forward pass's large arrays
    are freed, the small ones of its record stay, and so a server would hold several times what its traces take."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)
