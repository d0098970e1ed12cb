"""`python -m tests.container`: plays the Dockerfile in an empty directory tree, without a container engine.

Each stage gets a root directory of its own, holding only what its steps put there. A step runs with that directory as its root,
in a new mount and process namespace; this machine's /usr and the Python that runs this program stand in for the base image,
both read-only. The command then runs as the image's user, as process 1, with the source mounted read-only and without a
network; the health check must be answered and the stop signal must end it with 0. Needs root on Linux. Not played: the base
image's own files, and the cache of layers.

`--build-arg NAME=VALUE` as in `docker build`; `--mount PATH` shows a path of this machine, a local mirror say, to the steps.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from tests.dockerfile import DockerfileError, Instruction, complaints, expand, ignores, parse, stages

ROOT = Path(__file__).parent.parent
PYTHON = Path(sys.base_prefix).resolve()
PATH = f"{PYTHON}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOST_ETC = (
    "alternatives",
    "ca-certificates",
    "hosts",
    "ld.so.cache",
    "login.defs",
    "nsswitch.conf",
    "resolv.conf",
    "ssl/certs",
)
HOST_ENV = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_CERT", "SSL_CERT_FILE")
DEVICES = ("null", "zero", "full", "random", "urandom")
PATIENCE = 120
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


class PlayError(Exception):
    """A step that did not do what the Dockerfile asks of it."""


@dataclass
class Stage:
    """What the steps played so far have made."""

    root: Path
    mounts: tuple[Path, ...] = ()
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    args: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "0"
    health: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    @property
    def values(self) -> dict[str, str]:
        """What `$NAME` means; ENV wins over ARG."""
        return self.args | self.env

    def at(self, path: str) -> Path:
        """Where a path of the image lies on this machine."""
        return self.root / os.path.normpath(os.path.join(self.workdir, path)).lstrip("/")

    def identity(self) -> tuple[str, str, str]:
        """(user id, group id, home) of the user, from the image's own /etc/passwd."""
        rows = [line.split(":") for line in (self.root / "etc/passwd").read_text().splitlines()]
        name, _, group = self.user.partition(":")
        for row in rows:
            if name in (row[0], row[2]):
                return row[2], group or row[3], row[5]
        if not name.isdigit():
            raise PlayError(f"the image has no user {name}")
        return name, group or "0", "/"


def base(root: Path, mounts: tuple[Path, ...]) -> Stage:
    """An empty tree with the few files that any program needs, in place of a base image."""
    for name in ("etc/ssl", "home", "root", "tmp", "proc", "dev", "usr", "var/tmp"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for source in (Path("/etc", name) for name in HOST_ETC):
        if source.is_dir():
            shutil.copytree(source, root / "etc" / source.relative_to("/etc"), symlinks=True)
        elif source.exists():
            shutil.copyfile(source, root / "etc" / source.relative_to("/etc"))
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    return Stage(root, mounts)


def script(stage: Stage, command: list[str], *, read_only: bool) -> str:
    """The shell script that makes a namespace look like the image, then becomes the command as the image's user."""
    root = quote(str(stage.root))
    lines = ["set -e"]
    for path in dict.fromkeys((Path("/usr"), PYTHON, *stage.mounts)):
        lines.append(f"mkdir -p {root}{path} && mount --bind {path} {root}{path} && mount -o remount,bind,ro {root}{path}")
    lines.append(f"mount -t proc proc {root}/proc")
    lines.append(f"mount -t tmpfs dev {root}/dev && mkdir -m 1777 {root}/dev/shm && ln -s /proc/self/fd {root}/dev/fd")
    lines += [f"touch {root}/dev/{name} && mount --bind /dev/{name} {root}/dev/{name}" for name in DEVICES]
    if read_only:
        source = quote(str(stage.at(".")))
        lines.append(f"ip link set lo up && mount --bind {source} {source} && mount -o remount,bind,ro {source}")
    lines.append(f"exec chroot {root} " + " ".join(map(quote, [*as_user(stage), *command])))
    return "\n".join(lines)


def as_user(stage: Stage) -> list[str]:
    uid, gid, _ = stage.identity()
    identity = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
    return [*identity, "env", f"--chdir={stage.workdir}", f"PWD={stage.workdir}"]


def environment(stage: Stage, more: dict[str, str]) -> dict[str, str]:
    return {"HOME": stage.identity()[2], **more, **stage.env}


def do_run(stage: Stage, step: Instruction) -> None:
    """RUN, with the network and what the machine needs to reach it."""
    network = {name: os.environ[name] for name in HOST_ENV if name in os.environ}
    command = script(stage, ["/bin/sh", "-c", step.text], read_only=False)
    ended = subprocess.run([*NAMESPACES, "sh", "-c", command], env=environment(stage, stage.args | network), check=False)
    if ended.returncode:
        raise PlayError(f"line {step.line}: ended with {ended.returncode}")


def do_copy(stage: Stage, step: Instruction, source_root: Path, ignored: str) -> None:
    """COPY from a folder: the context, of which `.dockerignore` hides a part, or an earlier stage's tree."""
    *sources, target = (expand(word, stage.values) for word in step.words())
    into = target.endswith("/") or len(sources) > 1
    for source in sources:
        start = source_root / source.strip("/")
        found = [path for path in files_below(start) if not ignores(ignored, path.relative_to(source_root).as_posix())]
        if not found:
            raise PlayError(f"line {step.line}: nothing to copy from {source}")
        for path in found:
            inner = path.relative_to(start) if start.is_dir() else Path(path.name if into else "")
            place = stage.at(target) / inner
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place, follow_symlinks=False)


def files_below(start: Path) -> list[Path]:
    """The files and links of a folder, or the file itself."""
    if not start.is_dir():
        return [start] if start.exists() else []
    return [path for path in sorted(start.rglob("*")) if path.is_symlink() or path.is_file()]


class Play:
    """The instructions of a Dockerfile, played one after another."""

    def __init__(self, context: Path, tree: Path, build_args: dict[str, str], mounts: tuple[Path, ...]) -> None:
        self.context, self.tree, self.build_args, self.mounts = context, tree, build_args, mounts
        ignore = context / ".dockerignore"
        self.ignored = ignore.read_text(encoding="utf-8") if ignore.exists() else ""
        self.named: dict[str, Stage] = {}

    def build(self, instructions: list[Instruction]) -> Stage:
        """The last stage, built.

        Raises:
            PlayError: A step failed.
            DockerfileError: A step uses what is not defined.
        """
        unknown = set(self.build_args) - {name for each in instructions if each.name == "ARG" for name in each.pairs()}
        if unknown:
            raise PlayError(f"the Dockerfile has no argument {', '.join(sorted(unknown))}")
        for number, steps in enumerate(stages(instructions)):
            stage = base(self.tree / f"stage{number}", self.mounts)
            self.named[steps[0].words()[-1]] = stage
            print(f"-- {steps[0]}, played with Python {sys.version.split()[0]}", flush=True)
            for step in steps[1:]:
                print(f"-- {step}", flush=True)
                self.step(stage, step)
        return stage

    def step(self, stage: Stage, step: Instruction) -> None:
        """One instruction; FROM and EXPOSE leave nothing in the tree."""
        match step.name:
            case "RUN":
                do_run(stage, step)
            case "COPY":
                earlier = step.flags.get("from")
                if earlier and earlier not in self.named:
                    raise PlayError(f"line {step.line}: there is no earlier stage {earlier}")
                do_copy(stage, step, self.named[earlier].root if earlier else self.context, "" if earlier else self.ignored)
            case "ARG":
                stage.args |= {name: self.build_args.get(name, value) for name, value in step.pairs().items()}
            case "ENV":
                stage.env |= {name: expand(value, stage.values) for name, value in step.pairs().items()}
            case "WORKDIR":
                stage.workdir = os.path.normpath(os.path.join(stage.workdir, expand(step.text, stage.values)))
                stage.at(".").mkdir(parents=True, exist_ok=True)
            case "USER":
                stage.user = expand(step.text, stage.values)
            case "HEALTHCHECK":
                stage.health = step.exec_form()
            case "CMD":
                stage.command = step.exec_form()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextmanager
def started(stage: Stage) -> Iterator[tuple[subprocess.Popen, int]]:
    """The image's command, without a network: (the process that waits for it, the command's own process id)."""
    command = script(stage, stage.command, read_only=True)
    process = subprocess.Popen([*NAMESPACES, "--net", "sh", "-c", command], env=environment(stage, {}))
    try:
        while not (found := children(process.pid)):
            if process.poll() is not None:
                raise PlayError(f"the command did not start: {process.returncode}")
            time.sleep(0.05)
        yield process, found[0]
    finally:
        if process.poll() is None:
            for child in children(process.pid):  # --kill-child is forgotten when the command becomes the image's user
                os.kill(child, signal.SIGKILL)
            process.kill()
        process.wait()


def enter(stage: Stage, pid: int, command: list[str]) -> int:
    """The exit status of a command run beside the image's own, as `docker exec` does."""
    namespaces = ["nsenter", f"--target={pid}", "--mount", "--net", "--pid", "--root", "--wd"]
    ended = subprocess.run(
        [*namespaces, *as_user(stage), *command], env=environment(stage, {}), capture_output=True, check=False
    )
    return ended.returncode


def healthy(stage: Stage, process: subprocess.Popen, pid: int) -> float:
    """Seconds until the health check is answered."""
    start = time.monotonic()
    while enter(stage, pid, stage.health):
        if process.poll() is not None:
            raise PlayError(f"the command ended with {process.returncode} before it was healthy")
        if time.monotonic() - start > PATIENCE:
            raise PlayError(f"not healthy within {PATIENCE} s")
        time.sleep(0.5)
    return time.monotonic() - start


def try_out(stage: Stage) -> None:
    """Start the command, ask for its health, look at its rights, stop it.

    Raises:
        PlayError: It never answered, has rights that it should not have, or did not end with 0.
    """
    with started(stage) as (process, pid):
        print(f"ok: healthy after {healthy(stage, process, pid):.0f} s, without a network")
        status = Path(f"/proc/{pid}/status").read_text()
        uids = next(line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
        if set(uids) != {stage.identity()[0]}:
            raise PlayError(f"runs as user {uids[0]}")
        print(f"ok: runs as user {uids[0]}")
        if enter(stage, pid, ["touch", "written"]) == 0:
            raise PlayError(f"{stage.workdir} can be written to")
        print(f"ok: {stage.workdir} is read-only")
        os.kill(pid, signal.SIGTERM)
        try:
            code = process.wait(timeout=30)
        except subprocess.TimeoutExpired as error:
            raise PlayError("SIGTERM did not end it within 30 s") from error
        if code:
            raise PlayError(f"ended with {code} after SIGTERM")
        print("ok: ended with 0 after SIGTERM")


def possible() -> str:
    """Why the steps cannot be played here; nothing if they can."""
    missing = [name for name in ("unshare", "nsenter", "setpriv", "ip", "useradd") if not shutil.which(name)]
    if missing:
        return f"these programs are missing: {', '.join(missing)}"
    if os.geteuid() or subprocess.run([*NAMESPACES, "--net", "true"], capture_output=True, check=False).returncode:
        return "only root may make namespaces"
    return ""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.container", description="Play the Dockerfile without a container engine."
    )
    parser.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--mount", action="append", default=[], type=Path, metavar="PATH")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    instructions = parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    if wrong := [*complaints(instructions), *filter(None, [possible()])]:
        print("failed:", *wrong, sep="\n  ", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="dawn-lab-") as tree:
        build_args = dict(pair.partition("=")[::2] for pair in options.build_arg)
        try:
            stage = Play(ROOT, Path(tree), build_args, tuple(options.mount)).build(instructions)
            size = sum(path.lstat().st_size for path in files_below(stage.root))
            print(f"ok: built, {size / 2**20:.0f} MB above the base image")
            try_out(stage)
        except (PlayError, DockerfileError) as error:
            print(f"failed: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
