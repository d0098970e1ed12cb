"""Reads a Dockerfile and a .dockerignore as strictly as this project writes them, and says what is wrong with the former.

The language: https://docs.docker.com/reference/dockerfile. What is not used here (ADD, ENTRYPOINT, heredocs, …) is refused.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

NAMES = ("FROM", "ARG", "ENV", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "CMD")
SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|API_?KEY", re.IGNORECASE)


class DockerfileError(ValueError):
    """A line that is not understood; the message names the line."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: the line it begins on, its name, its flags and the rest with its continuation lines joined."""

    line: int
    name: str
    flags: dict[str, str]
    text: str

    def __str__(self) -> str:
        return " ".join([self.name, *(f"--{flag}={value}" for flag, value in self.flags.items()), self.text])

    def fail(self, why: str) -> DockerfileError:
        return DockerfileError(f"Dockerfile, line {self.line}: {self.name} {why}")

    def words(self) -> list[str]:
        """The arguments, quotes taken off.

        Raises:
            DockerfileError: There are none, or a quote is left open.
        """
        try:
            words = shlex.split(self.text)
        except ValueError as error:
            raise self.fail(f"has an open quote: {self.text}") from error
        if not words:
            raise self.fail("needs an argument")
        return words

    def pairs(self) -> dict[str, str]:
        """The `name=value` arguments of ENV and ARG; an ARG without a default is the empty text."""
        pairs = dict(word.partition("=")[::2] for word in self.words())
        wrong = [name for name in pairs if not name.isidentifier()]
        if wrong or (self.name == "ENV" and any("=" not in word for word in self.words())):
            raise self.fail(f"takes name=value, not {self.text}")
        return pairs

    def exec_form(self) -> list[str]:
        """The command of CMD or HEALTHCHECK, which is a JSON list: no shell stands between a signal and the process."""
        text = self.text.removeprefix("CMD").strip() if self.name == "HEALTHCHECK" else self.text
        try:
            command = json.loads(text)
        except json.JSONDecodeError:
            command = None
        if not (isinstance(command, list) and command and all(isinstance(word, str) for word in command)):
            raise self.fail(f'takes a list like ["python", "app.py"], not {text}')
        return command


def parse(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile.

    Raises:
        DockerfileError: An instruction is unknown, or the first is neither FROM nor ARG.
    """
    found = [instruction(line, joined) for line, joined in logical_lines(text)]
    if next((each.name for each in found if each.name != "ARG"), "") != "FROM":
        raise DockerfileError("Dockerfile: begins with FROM")
    return found


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(first line, text) of every instruction: comments and blank lines dropped, continuation lines joined."""
    start, parts = 0, []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        start = start if parts else number
        parts.append(line.strip().removesuffix("\\").strip())
        if not line.rstrip().endswith("\\"):
            yield start, " ".join(parts)
            parts = []
    if parts:
        raise DockerfileError(f"Dockerfile, line {start}: the file ends within an instruction")


def instruction(line: int, text: str) -> Instruction:
    name, _, rest = text.partition(" ")
    if name not in NAMES:
        raise DockerfileError(f"Dockerfile, line {line}: {name} is not used here; known are {', '.join(NAMES)}")
    if name == "RUN" and "<<" in rest:
        raise DockerfileError(f"Dockerfile, line {line}: heredocs are not used here")
    words = list(takewhile(lambda word: word.startswith("--"), rest.split())) if name in ("COPY", "HEALTHCHECK") else []
    flags = dict(word[2:].partition("=")[::2] for word in words)
    for word in words:
        rest = rest.strip().removeprefix(word)
    return Instruction(line, name, flags, rest.strip())


def expand(text: str, values: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` replaced.

    Raises:
        DockerfileError: A name has no value.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in values:
            raise DockerfileError(f"Dockerfile: ${name} is not defined where it is used")
        return values[name]

    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", value, text)


def stages(instructions: list[Instruction]) -> list[list[Instruction]]:
    """The instructions from each FROM to the next."""
    starts = [index for index, each in enumerate(instructions) if each.name == "FROM"]
    return [instructions[a:b] for a, b in zip(starts, [*starts[1:], len(instructions)], strict=True)]


def complaints(instructions: list[Instruction]) -> list[str]:
    """What a reviewer would object to, one line each; nothing for a good Dockerfile."""
    parts = stages(instructions)
    names = {words[2] for part in parts if len(words := part[0].words()) == 3}
    found = [line for part in parts for line in [*of_base(part[0], names), *of_cache(part), *of_commands(part)]]
    return found + of_secrets(instructions) + of_last_stage(parts[-1])


def of_base(base: Instruction, names: set[str]) -> list[str]:
    image = base.words()[0]
    tag = image.rpartition("/")[2].partition(":")[2]
    if image in names:
        return []
    return [] if tag and tag != "latest" else [f"line {base.line}: {image} needs a tag that is not latest"]


def of_cache(stage: list[Instruction]) -> list[str]:
    """Requirements are installed before the source is copied, or each change of the source installs them again."""
    installs = [index for index, each in enumerate(stage) if each.name == "RUN" and "pip" in each.text]
    early = [each for each in stage[: max(installs, default=0)] if each.name == "COPY" and "from" not in each.flags]
    return [
        f"line {each.line}: copy {source} after the requirements are installed"
        for each in early
        for source in each.words()[:-1]
        if not source.startswith("requirements")
    ]


def of_commands(stage: list[Instruction]) -> list[str]:
    found = []
    for each in (each for each in stage if each.name == "RUN"):
        if re.search(r"\bpip\b.*\binstall\b", each.text) and "--no-cache-dir" not in each.text:
            found.append(f"line {each.line}: pip install needs --no-cache-dir")
        if "apt-get install" in each.text and "--no-install-recommends" not in each.text:
            found.append(f"line {each.line}: apt-get install needs --no-install-recommends")
        if "apt-get" in each.text and "rm -rf /var/lib/apt/lists" not in each.text:
            found.append(f"line {each.line}: the lists of apt-get stay in the layer")
        if re.search(r"\bsudo\b|\bchmod\b.*\b777\b", each.text):
            found.append(f"line {each.line}: neither sudo nor chmod 777")
    return found


def of_secrets(instructions: list[Instruction]) -> list[str]:
    named = [(each, name) for each in instructions if each.name in ("ARG", "ENV") for name in each.pairs()]
    return [f"line {each.line}: {name} would stay readable in the image" for each, name in named if SECRET.search(name)]


def of_last_stage(stage: list[Instruction]) -> list[str]:
    """The image itself: one command and one health check in exec form, as an ordinary user, without a compiler."""
    counts = {name: sum(each.name == name for each in stage) for name in ("USER", "EXPOSE", "HEALTHCHECK", "CMD")}
    found = [f"the last stage has {count} {name} instructions, not one" for name, count in counts.items() if count != 1]
    for each in stage:
        if each.name in ("CMD", "HEALTHCHECK"):
            try:
                each.exec_form()
            except DockerfileError as error:
                found.append(str(error))
        if each.name == "USER" and not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", each.text):
            found.append(f"line {each.line}: USER is a number that is not 0, so that an orchestrator can check it")
        if each.name == "WORKDIR" and not each.text.startswith("/"):
            found.append(f"line {each.line}: WORKDIR is an absolute path")
        if each.name == "RUN" and re.search(r"\b(gcc|g\+\+|build-essential|make|git)\b", each.text):
            found.append(f"line {each.line}: build tools belong in an earlier stage")
    order = [each.name for each in stage]
    if "CMD" in order and "USER" in order[order.index("CMD") :]:
        found.append("USER stands before CMD")
    return found


def ignores(text: str, path: str) -> bool:
    """Whether a .dockerignore keeps a path, relative to the context and with `/`, out of the build.

    The last matching line decides. A line that matches a folder matches what is in it; `!` takes back; `*` stays within a
    name, `**` does not.
    """
    parts = path.split("/")
    above = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    verdict = False
    for line in (line.strip() for line in text.splitlines()):
        if line and not line.startswith("#"):
            pattern = re.compile(translate(line.removeprefix("!").strip("/")))
            if any(pattern.fullmatch(each) for each in above):
                verdict = not line.startswith("!")
    return verdict


def translate(pattern: str) -> str:
    """A .dockerignore pattern as a regular expression."""
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(signs.get(sign) or re.escape(sign) for sign in re.findall(r"\*\*/|\*\*|\*|.", pattern))
