"""What the documents say, taken out of them: code blocks, so that what a reader copies is what the tests run."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a Markdown file in a language, in their order."""
    return [body for name, body in BLOCK.findall(path.read_text(encoding="utf-8")) if name == language]


def block(path: Path, containing: str, language: str = "python") -> str:
    """The only code block that contains some words."""
    (found,) = (body for body in blocks(path, language) if containing in body)
    return found
