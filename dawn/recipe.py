"""How to make a run again: as a command line and as Python, from what its trace remembers.

A command fixes tokens by their text, so it cannot make a branch, which began on the canvas of another run; Python writes the
tokens of the first canvas themselves. Text from a trace is quoted so that a terminal or Python reads it as text.
"""

from __future__ import annotations

import shlex

from dawn.cli import flag_of
from dawn.errors import DawnError, TraceError
from dawn.rules import settings_of
from dawn.run import written_on
from dawn.trace import Trace

SNIPPET = """from dawn.decode import Options
from dawn.models import load_model
from dawn.rules import make_rule
from dawn.run import start

model = load_model({model!r})
rule = make_rule({rule!r}, {settings!r})
options = Options({options})
run = start(model, {prompt!r}, rule, {generated}, {block}, options{written})
for step in run.iterate():
    print(step.index + 1, len(step.decision.selection.committed), "tokens")
trace = run.trace()
print(trace.output)
"""


def command(trace: Trace) -> str:
    """`python -m dawn run …`; DawnError for a run that it cannot make."""
    setup, parts = trace.setup, ["python", "-m", "dawn", "run"]
    if not trace.prompt.startswith("-"):
        parts.append(quoted(trace.prompt))
    parts += [f"--model={quoted(setup.model)}", "--rule", setup.rule]
    for name, value in settings_of(setup.make_rule()).items():
        parts += [flag_of(name), quoted(str(value))]
    generated, block = lengths(trace)
    parts += ["--gen-length", str(generated), "--block-length", str(block)]
    parts += ["--temperature", repr(float(setup.temperature)), "--seed", str(setup.seed)]
    parts += [flag for flag, on in (("--no-stop-at-end", not setup.end_ids), ("--suppress-end", setup.suppress_end)) if on]
    parts += [f"--fix={quoted(line)}" for line in fixed(trace)]
    return " ".join(parts + (["--", quoted(trace.prompt)] if trace.prompt.startswith("-") else []))


def python(trace: Trace) -> str:
    """A program in the public names of `dawn`."""
    setup, written = trace.setup, written_on(trace.prompt, trace.canvas)
    generated, block = lengths(trace)
    options = f"temperature={float(setup.temperature)!r}, seed={setup.seed!r}"
    options += ", stop_at_end=False" * (not setup.end_ids) + ", suppress_end=True" * setup.suppress_end
    return SNIPPET.format(
        model=setup.model,
        rule=setup.rule,
        settings=settings_of(setup.make_rule()),
        options=options,
        prompt=trace.prompt,
        generated=generated,
        block=block,
        written=f", written={written!r}" if written else "",
    )


def lengths(trace: Trace) -> tuple[int, int]:
    """Positions generated, and of a block."""
    canvas = trace.canvas
    return canvas.length - canvas.prompt_length, canvas.block_length


def fixed(trace: Trace) -> list[str]:
    """The lines `position: text` of tokens that stood in the answer before the first step; TraceError for a branch."""
    if trace.parent:
        raise TraceError("a branch begins on the canvas of another run, which no command makes: copy it as Python")
    canvas, lines, start = trace.canvas, [], trace.canvas.prompt_length
    for position in range(start, canvas.length):
        if canvas.masked[position]:
            continue
        text = trace.pieces.get(int(canvas.tokens[position]), "")
        if not text or len(text.splitlines()) != 1 or text.endswith(("\n", "\r")):
            raise TraceError(f"the token fixed at {position - start} of the answer is no line of text: copy the run as Python")
        lines.append(f"{position - start}:{text}")
    return lines


def quoted(text: str) -> str:
    """Text for a shell (sh; bash or zsh where it holds invisible characters, which are then escaped)."""
    if text.isprintable():
        return shlex.quote(text)
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise DawnError("the text holds a character that no command line can: copy the run as Python instead")
    return "$'" + "".join(map(escaped, text)) + "'"


def escaped(character: str) -> str:
    """A character between $' and '."""
    if character in "\\'":
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"
