"""LLaDA-8B's vocabulary, width, heads and MLP with two layers in bfloat16: within 12 GB. Takes 3 GB on disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch

from dawn.models.device import GIB, free_memory

FREE = free_memory(torch.device("cpu"))


SCARCE = FREE is not None and FREE < 14 * GIB and not os.environ.get("CI")


@pytest.mark.skipif(SCARCE, reason=f"needs 14 GiB of free memory, {(FREE or 0) / GIB:.1f} are")
def test_a_full_width_checkpoint_loads_and_decodes_within_12_gb(tmp_path):
    command = [sys.executable, "-m", "tests.dawn.models.full_width", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    for file in tmp_path.glob("*.safetensors"):
        file.unlink()
    assert done.returncode == 0, done.stderr
    took = json.loads(done.stdout)
    assert took["peak"] < 12e9 and 2.9e9 < took["size"] < 3.0e9, took
    assert took["placed"] == "cpu, bfloat16" and took["steps"] == 2 and took["masked"] <= 6, took
