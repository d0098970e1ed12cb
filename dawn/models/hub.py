"""A checkpoint by its hub name → its folder on this machine, downloaded if need be. Code files are never downloaded."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

from dawn.errors import ModelError

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
FACTS = ("config.json", "generation_config.json", "tokenizer*", "vocab.json", "merges.txt", "added_tokens.json")
FACTS += ("special_tokens_map.json", "chat_template.jinja", "*.safetensors.index.json")
WEIGHTS = (*FACTS, "*.safetensors")

Report = Callable[[str, float | None], None]  # what is being done, and how much of it (0 to 1, None if nobody knows)


def silent(stage: str, fraction: float | None) -> None:
    """A Report that says nothing."""


def fetch(name: str, patterns: tuple[str, ...], report: Report) -> Path:
    """The folder with those files of the hub's repository `name`; ModelError that says why not and what to do."""
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(patterns), tqdm_class=progress_bar(report)))
    except errors.GatedRepoError:
        advice = f"accept its conditions at huggingface.co/{name}, then log in with `hf auth login`"
        raise ModelError(f"the model {name} is gated: {advice}") from None
    except errors.RepositoryNotFoundError:
        raise ModelError(
            f"the hub has no model {name}, or it is private: check the spelling, or log in with `hf auth login`"
        ) from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled):
        raise ModelError(
            f"cannot reach the model hub, and {name} is not on this machine: check the network, or give the folder of a "
            "downloaded checkpoint"
        ) from None
    except Exception as error:  # its HTTP library's errors have no base in common with the rest
        said = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise ModelError(f"the download of {name} failed ({said}): try again, it goes on where it stopped") from None


def progress_bar(report: Report) -> type:
    """A tqdm that draws nothing and reports the share of the bytes instead."""
    from tqdm.auto import tqdm

    class Bar(tqdm):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs | {"disable": False, "file": io.StringIO()})

        def display(self, *args, **kwargs):
            if self.unit == "B" and self.total:
                report("downloading", min(1.0, self.n / self.total))

    return Bar
