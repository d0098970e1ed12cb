"""`python -m dawn …`: the command line's composition root, as app.py is the page's.

`dawn` is the science and never imports `viz`, which makes pictures of its records; `dawn.cli` keeps that law like the rest. But
`export` writes such pictures, so somebody has to know both, and only where the program is put together: this module hands
`dawn.cli` one more command. It reaches `viz.exports` alone, and only when that command is run; tests/test_architecture.py holds
this exception, for this module and no other.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dawn.cli import main, write_files
from dawn.errors import DawnError
from dawn.trace import load

FORMATS = {
    "html": "one page with scrubber, graph, map and ledger, which opens offline",
    "gif": "a film, one frame a step",
    "mp4": "a film, one frame a step",
    "png": "the picture of one step",
    "svg": "the picture of one step",
    "csv": "the ledger: every position of every step, counted from 1",
    "graphml": "the dependency graph of one step",
    "json": "the dependency graph of one step, node-link",
}


def add_export(commands) -> None:
    """The command `export`."""
    export = commands.add_parser("export", help="write a trace as a page, a film, pictures or tables; several at once")
    export.add_argument("file", type=Path, metavar="FILE", help="a trace (.npz)")
    for name, words in FORMATS.items():
        export.add_argument(f"--{name}", type=Path, metavar="OUT", help=words)
    export.add_argument("--step", type=int, default=0, metavar="K", help="of png, svg, graphml and json, from 0 (default 0)")
    export.set_defaults(command=export_command)


def export_command(options) -> int:
    """Make every file that is asked for, then write them: if one cannot be made, none is written."""
    asked = {name: getattr(options, name) for name in FORMATS if getattr(options, name)}
    if not asked:
        raise DawnError(f"nothing to export: give one or more of --{', --'.join(FORMATS)}, each with a file to write")
    if len({path.absolute() for path in asked.values()}) < len(asked):
        raise DawnError("two formats would be written to the same file: give each its own")
    trace = load(options.file)

    from viz.exports import made

    write_files({path: made(trace, name, options.step) for name, path in asked.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], [add_export]))
