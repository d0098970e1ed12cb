"""`python -m tests.release`: is this tree ready to be tagged? Each check is a line, ok or failed; the exit status says all.

First what the files say, then the commands of the last checks, which take minutes; `--files` leaves the commands to you.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dawn

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
LARGEST, LARGEST_WEIGHTS = 25_000_000, 16_000_000  # bytes
COMMANDS = (
    "python -m ruff check .",
    "python -m ruff format --check .",
    "python -m pip_audit --strict --disable-pip --require-hashes -r requirements.lock",
    "python -m pytest -n 2",
    "python -m tests.container",
)


def version_gaps(version: str, project: str, citation: str) -> list[str]:
    """Where the version is not that of `dawn.__version__`: pyproject.toml takes it from there, CITATION.cff repeats it."""
    found = []
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        found.append(f"dawn.__version__ is {version}, not three numbers")
    if 'version = { attr = "dawn.__version__" }' not in project or re.search(r'^version = "', project, re.MULTILINE):
        found.append("pyproject.toml does not take its version from dawn.__version__")
    cited = re.search(r"^version: (.+)$", citation, re.MULTILINE)
    if not cited or cited[1].strip("\"'") != version:
        found.append(f"CITATION.cff has version {cited[1] if cited else 'none'}, not {version}")
    return found


def sections(changelog: str) -> dict[str, str]:
    """Heading of each `## [name] …` section → its text, without the links at the end."""
    parts = re.split(r"^## (.+)$", changelog, flags=re.MULTILINE)[1:]
    bodies = (re.sub(r"^\[.+\]: .+$", "", body, flags=re.MULTILINE).strip() for body in parts[1::2])
    return dict(zip(parts[::2], bodies, strict=True))


def changelog_gaps(version: str, changelog: str, citation: str) -> list[str]:
    """A dated entry for the version, the date that CITATION.cff gives, and nothing left unreleased."""
    found = sections(changelog)
    dates = [match[1] for title in found if (match := re.fullmatch(rf"\[{re.escape(version)}\] - (\d{{4}}-\d\d-\d\d)", title))]
    gaps = []
    if len(dates) != 1 or not found[f"[{version}] - {dates[0]}"]:
        gaps.append(f"CHANGELOG.md needs one entry `## [{version}] - year-month-day`, with what changed")
    elif f"date-released: {dates[0]}" not in citation.replace('"', "").replace("'", ""):
        gaps.append(f"CITATION.cff was not released on {dates[0]}")
    if found.get("[Unreleased]") is None:
        gaps.append("CHANGELOG.md needs a section `## [Unreleased]`")
    elif found["[Unreleased]"]:
        gaps.append("CHANGELOG.md has unreleased changes: move them to the version's entry")
    return gaps


def locked(lock: str) -> list[tuple[Requirement, int]]:
    """Every pin of a lock file with the number of its hashes."""
    joined = lock.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith((" ", "#"))]
    return [(Requirement(line.split(" --hash=")[0].strip()), line.count("--hash=sha256:")) for line in lines]


def lock_gaps(requirements: str, lock: str) -> list[str]:
    """What the lock lacks: for each Python, one pin with hashes of every requirement, within what requirements.txt allows."""
    pins = locked(lock)
    gaps = [f"{pin.name} has no hash" for pin, hashes in pins if not hashes]
    gaps += [f"{pin} is of one machine's build" for pin, _ in pins if "+" in str(pin.specifier)]
    gaps += ["it names an address"] if "://" in lock else []
    wanted = [Requirement(line) for line in requirements.splitlines() if line and not line.startswith("#")]
    for python in PYTHONS:
        here = [pin for pin, _ in pins if applies(pin.marker, python)]
        for requirement in (each for each in wanted if applies(each.marker, python)):
            versions = [pin_version(pin) for pin in here if canonicalize_name(pin.name) == canonicalize_name(requirement.name)]
            if len(versions) != 1 or not requirement.specifier.contains(versions[0], prereleases=True):
                gaps.append(f"{requirement} on Python {python}: the lock has {', '.join(versions) or 'nothing'}")
    return [f"requirements.lock: {gap}" for gap in gaps]


def pin_version(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")


def applies(marker: Marker | None, python: str) -> bool:
    """Whether a requirement counts on Linux with this Python."""
    facts = {"python_version": python, "python_full_version": f"{python}.0", "platform_machine": "x86_64"}
    return marker is None or marker.evaluate(facts | {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"})


def too_large(sizes: Iterable[tuple[str, int]]) -> list[str]:
    """Of (path, bytes), those that a repository should not hold."""
    found = []
    for path, size in sizes:
        limit = LARGEST_WEIGHTS if path.endswith(".safetensors") else LARGEST
        if size > limit:
            found.append(f"{path} has {size / 1e6:.1f} MB; at most {limit / 1e6:.0f}")
    return found


def git(*arguments: str) -> list[str]:
    """The lines that a git command prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[tuple[str, int]]:
    """(path, bytes) of every file under version control."""
    return [
        (path, (ROOT / path).lstat().st_size) for path in git("-c", "core.quotePath=off", "ls-files") if (ROOT / path).exists()
    ]


def checks(version: str) -> dict[str, Callable[[], list[str]]]:
    """Every check of files: what it is about → what is wrong, nothing if it is right."""
    return {
        "one version": lambda: version_gaps(version, read("pyproject.toml"), read("CITATION.cff")),
        "changelog": lambda: changelog_gaps(version, read("CHANGELOG.md"), read("CITATION.cff")),
        "lock": lambda: lock_gaps(read("requirements.txt"), read("requirements.lock")),
        "no large files": lambda: too_large(tracked()),
        "clean tree": lambda: [f"not committed: {line}" for line in git("status", "--porcelain")],
        f"no tag v{version}": lambda: [f"there is a tag {tag}" for tag in git("tag", "--list", f"v{version}")],
    }


def succeeds(command: str) -> bool:
    """Run a command of COMMANDS with this Python; what it prints is shown."""
    return subprocess.run([sys.executable, *command.split()[1:]], cwd=ROOT, check=False).returncode == 0


def told(name: str, wrong: list[str]) -> bool:
    """Print one line for a check, and what is wrong below it; True if nothing is."""
    print(f"{'failed' if wrong else 'ok':<8}{name}", *(f"        {line}" for line in wrong), sep="\n", flush=True)
    return not wrong


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.release", description="Check that this tree can be released.")
    parser.add_argument("--files", action="store_true", help="check files only; list the commands instead of running them")
    options = parser.parse_args(argv)
    good = [told(name, check()) for name, check in checks(dawn.__version__).items()]
    for command in COMMANDS:
        if options.files:
            print(f"to run  {command}")
        else:
            good.append(told(command, [] if succeeds(command) else ["it ended with an error"]))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
