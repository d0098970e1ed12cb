"""The project's Dockerfile and .dockerignore, and how they are read; the play itself is `python -m tests.container`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.container import ROOT, Play, PlayError, base, script
from tests.dockerfile import DockerfileError, complaints, expand, ignores, parse, stages

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8")
GOOD = """
FROM python:3.12-slim
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
WORKDIR /app
COPY app.py ./
USER 1000
EXPOSE 80
HEALTHCHECK --timeout=5s CMD ["python", "-c", "0"]
CMD ["python", "app.py"]
"""


def test_the_dockerfile_is_good():
    assert complaints(parse(DOCKERFILE)) == []


def test_the_image_is_what_the_project_promises():
    steps = parse(DOCKERFILE)
    last = stages(steps)[-1]
    one = {each.name: each for each in last}
    assert last[0].words() == ["python:3.12-slim-trixie"]
    assert (one["USER"].text, one["EXPOSE"].text, one["CMD"].exec_form()) == ("1000", "7860", ["python", "app.py"])
    assert "http://127.0.0.1:7860/healthz" in one["HEALTHCHECK"].exec_form()[-1]
    arguments = {name: value for each in steps if each.name == "ARG" for name, value in each.pairs().items()}
    assert arguments == {"TORCH_INDEX": "https://download.pytorch.org/whl/cpu"}


def test_the_image_holds_the_program_and_nothing_else():
    sent = {path.name for path in ROOT.iterdir() if not ignores(IGNORED, path.name)}
    assert sent == {"app.py", "LICENSE", "assets", "dawn", "viz", "requirements.lock"}
    assert not ignores(IGNORED, "assets/model/model.safetensors") and not ignores(IGNORED, "dawn/models/families/llada.py")
    for stray in ("dawn/__pycache__/cli.pyc", "dawn/models/__pycache__/tap.pyc", "assets/pictures/phone-dark.png", ".env"):
        assert ignores(IGNORED, stray)


def test_lines_are_joined_comments_dropped_and_flags_taken_off():
    run, copy, health = parse(
        "# syntax\nARG A\nFROM x:1 AS y\nRUN a \\\n  # why\n  && b\n\nCOPY --from=y --chown=1:1 /a /b\n"
        'HEALTHCHECK --interval=3s \\\n CMD ["c", "--d"]'
    )[2:]
    assert (run.line, run.text) == (4, "a && b")
    assert (copy.line, copy.flags, copy.words()) == (8, {"from": "y", "chown": "1:1"}, ["/a", "/b"])
    assert (health.flags, health.exec_form()) == ({"interval": "3s"}, ["c", "--d"])


def test_values_are_paired_and_expanded():
    env = parse('FROM x:1\nENV A=1 B="two words" \\\n  C=$A')[1]
    assert env.pairs() == {"A": "1", "B": "two words", "C": "$A"}
    assert expand("$A-${B}/$A", {"A": "1", "B": "2"}) == "1-2/1"
    with pytest.raises(DockerfileError, match=r"\$C is not defined"):
        expand("$C", {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("RUN a", "begins with FROM"),
        ("", "begins with FROM"),
        ("FROM x:1\nADD https://example.org/a /a", "line 2: ADD is not used"),
        ("FROM x:1\nrun a", "line 2: run is not used"),
        ("FROM x:1\n\nRUN a \\\n", "line 3: the file ends"),
        ("FROM x:1\nRUN cat <<EOF", "line 2: heredocs"),
    ],
)
def test_what_is_not_understood_is_refused(text, message):
    with pytest.raises(DockerfileError, match=message):
        parse(text)


@pytest.mark.parametrize("text", ["ENV A 1", "ENV 1=2", "ENV", 'ENV A="1'])
def test_broken_arguments_are_refused(text):
    with pytest.raises(DockerfileError, match="line 2: ENV"):
        parse(f"FROM x:1\n{text}")[1].pairs()


def test_a_good_file_has_no_complaints():
    assert complaints(parse(GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("python:3.12-slim", "python", "needs a tag"),
        ("python:3.12-slim", "python:latest", "needs a tag"),
        ("python:3.12-slim", "host:5000/python", "needs a tag"),
        ("COPY requirements.txt", "COPY .", "copy . after the requirements"),
        ("COPY requirements.txt", "COPY requirements.txt app.py", "copy app.py after the requirements"),
        (" --no-cache-dir", "", "needs --no-cache-dir"),
        ("USER 1000\n", "", "has 0 USER"),
        ("USER 1000", "USER root", "USER is a number"),
        ("USER 1000", "USER 0", "USER is a number"),
        ("USER 1000\n", "USER 1000\nUSER 1001\n", "has 2 USER"),
        ("EXPOSE 80\n", "", "has 0 EXPOSE"),
        ('["python", "app.py"]', "python app.py", "CMD takes a list"),
        ('["python", "app.py"]', '["python", 1]', "CMD takes a list"),
        ('CMD ["python", "-c", "0"]', "CMD curl localhost", "HEALTHCHECK takes a list"),
        ("WORKDIR /app", "WORKDIR app", "WORKDIR is an absolute path"),
        ("WORKDIR /app", "RUN apt-get update && apt-get install -y x", "--no-install-recommends"),
        ("WORKDIR /app", "RUN apt-get update && apt-get install -y x", "lists of apt-get"),
        ("WORKDIR /app", "RUN apt-get install --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*", "build tools"),
        ("WORKDIR /app", "RUN sudo true", "neither sudo"),
        ("WORKDIR /app", "ENV HF_TOKEN=x", "HF_TOKEN would stay"),
        ("WORKDIR /app", "ARG api_key", "api_key would stay"),
    ],
)
def test_every_rule_finds_its_breach(old, new, message):
    assert any(message in line for line in complaints(parse(GOOD.replace(old, new, 1))))


def test_a_user_after_the_command_is_found():
    moved = GOOD.replace("USER 1000\n", "") + "USER 1000\n"
    assert complaints(parse(moved)) == ["USER stands before CMD"]


def test_a_base_that_is_a_stage_needs_no_tag():
    assert complaints(parse("FROM x:1 AS first\n" + GOOD.replace("python:3.12-slim", "first"))) == []


@pytest.mark.parametrize(
    ("lines", "path", "expected"),
    [
        ("a", "a", True),
        ("a", "a/b/c", True),
        ("a", "b/a", False),
        ("a", "ab", False),
        ("/a/", "a/b", True),
        ("*.py", "a.py", True),
        ("*.py", "b/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "c/b/a.py", True),
        ("b/**", "b/c/a.py", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("a.c", "abc", False),
        ("*\n!a", "a/b", False),
        ("!a\n*", "a", True),
        ("*\n!a\na/b", "a/b/c", True),
        ("# a\n\n  a  ", "a", True),
        ("#a", "#a", False),
    ],
)
def test_dockerignore(lines, path, expected):
    assert ignores(lines, path) is expected


@pytest.fixture
def play(tmp_path):
    """A function that plays the steps of one stage on a small context; those that need no namespace."""
    context = tmp_path / "context"
    for name in ("a.txt", "b.txt", "folder/c.txt", "folder/deep/d.txt", "folder/hidden/e.txt", ".dockerignore"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text("**/hidden" if name == ".dockerignore" else name)

    def of(text: str, **build_args: str):
        tree = Path(tmp_path / "tree")
        return Play(context, tree, build_args, ()).build(parse(f"FROM x:1 AS first\n{text}"))

    return of


def below(root: Path, folder: str) -> set[str]:
    return {path.relative_to(root / folder).as_posix() for path in (root / folder).rglob("*") if path.is_file()}


def test_folders_are_copied_by_content_and_hidden_files_are_not(play):
    stage = play("WORKDIR /app\nCOPY folder ./to\nCOPY a.txt b.txt ./\nCOPY a.txt /app/renamed")
    assert below(stage.root, "app") == {"to/c.txt", "to/deep/d.txt", "a.txt", "b.txt", "renamed"}
    assert (stage.root / "app/renamed").read_text() == "a.txt"


def test_a_later_stage_takes_from_an_earlier_one(play):
    stage = play("COPY folder /made\nFROM x:1\nCOPY --from=first /made/deep /taken")
    assert below(stage.root, "taken") == {"d.txt"} and not (stage.root / "made").exists()


def test_arguments_and_environment(play):
    stage = play('ARG A=1\nARG B=2\nENV PATH=/v:$PATH C=$A$B\nUSER 7:8\nCMD ["$C"]', A="9")
    assert stage.env["PATH"].startswith("/v:") and stage.env["C"] == "92"
    assert (stage.identity(), stage.command) == (("7", "8", "/"), ["$C"])


@pytest.mark.parametrize(
    ("text", "build_args", "message"),
    [
        ("COPY nothing /a", {}, "nothing to copy from nothing"),
        ("COPY folder/hidden /a", {}, "nothing to copy from folder/hidden"),
        ("COPY --from=second /a /b", {}, "no earlier stage second"),
        ("WORKDIR /a", {"A": "1"}, "no argument A"),
    ],
)
def test_steps_that_cannot_be_played(play, text, build_args, message):
    with pytest.raises(PlayError, match=message):
        play(text, **build_args)


def test_the_user_is_looked_up_in_the_image(tmp_path):
    stage = base(tmp_path / "root", ())
    with (tmp_path / "root/etc/passwd").open("a") as file:
        file.write("user:x:1000:1001::/home/user:/bin/sh\n")
    for stage.user in ("user", "1000"):
        assert stage.identity() == ("1000", "1001", "/home/user")
    stage.user = "stranger"
    with pytest.raises(PlayError, match="no user stranger"):
        stage.identity()


def test_the_command_sees_a_read_only_source_and_the_steps_do_not(tmp_path):
    stage = base(tmp_path / "root", ())
    stage.workdir, stage.user = "/app", "1000"
    source = f"mount -o remount,bind,ro {tmp_path}/root/app"
    run, command = script(stage, ["it's"], read_only=False), script(stage, ["it's"], read_only=True)
    assert source in command and source not in run
    assert command.endswith("""--reuid=1000 --regid=0 --clear-groups env --chdir=/app PWD=/app 'it'"'"'s'""")
