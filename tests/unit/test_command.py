"""The `streams` command: help, exit codes and error lines, with verbs of the test's own."""

import re
import subprocess
import sys
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

from streams.cli import main
from streams.cli.verbs import VERBS, Verb
from streams.errors import BrokerUnavailable, InputError, NotFound, StreamsError


def run(*args):
    return CliRunner().invoke(main.app, list(args))


@pytest.fixture
def verb(monkeypatch):
    """Puts a function into the table as the verb `probe`."""

    def install(function):
        module = ModuleType("streams_cli_probe")
        module.target = function
        monkeypatch.setitem(sys.modules, "streams_cli_probe", module)
        monkeypatch.setitem(VERBS, "probe", Verb("streams_cli_probe:target", "Read", "s", "e g"))

    return install


def raising(error):
    def probe():
        raise error

    return probe


def test_help_lists_every_verb_and_imports_none():
    """It must answer at once, and in an install without the engine."""
    code = (
        "import sys\n"
        "from streams.cli.main import app\n"
        "try:\n"
        "    app(['--help'], prog_name='streams')\n"
        "except SystemExit as done:\n"
        "    heavy = {'polars', 'rocksdict', 'pyroaring', 'confluent_kafka', 'pydantic'}\n"
        "    print('IMPORTED', sorted(heavy & set(sys.modules)), done.code)\n"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout

    assert "IMPORTED [] 0" in shown
    assert all(f" {name} " in shown for name in VERBS)


def test_every_verb_is_one_file_with_an_example():
    """The table is the only list of verbs; each help text ends with a line to copy."""
    for name, verb in VERBS.items():
        assert verb.target.startswith(f"streams.cli.{name}:")
        assert f"streams {name}" in verb.example
        assert verb.summary.endswith(".")


def test_the_help_of_a_verb_ends_with_its_example(verb):
    """An example teaches more than a list of options."""
    verb(lambda: None)

    shown = run("probe", "--help")

    assert shown.exit_code == 0
    assert "Example: e g" in shown.output


def test_help_is_broken_where_the_terminal_ends_not_where_the_source_does(verb):
    """Lines of two lengths in turn are hard to read."""

    def probe():
        """First.

        A second paragraph that
        the source breaks.
        """

    verb(probe)

    assert "A second paragraph that the source breaks." in run("probe", "--help").output


def leaves():
    """Every verb that does something, as words with its command."""
    for name, verb in VERBS.items():
        command = main._load(name, verb)
        inner = getattr(command, "commands", {})
        yield from (([name, one], inner[one]) for one in inner)
        if not inner:
            yield [name], command


@pytest.mark.parametrize("words", [words for words, _ in leaves()], ids=" ".join)
def test_every_verb_can_be_asked_for_help(words):
    """Loading a verb must not need a broker, a project or a setting."""
    shown = run(*words, "--help")

    assert shown.exit_code == 0
    assert "Example: " in shown.output


@pytest.mark.parametrize("name", VERBS)
def test_help_of_a_verb_does_not_speak_of_shells(name):
    """Completion is a matter of the whole command."""
    shown = run(name, "--help").output

    assert "--install-completion" not in shown


def test_help_shows_square_brackets(verb, monkeypatch):
    """Typer would take them for styles, and leave out what is written in them."""
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 1_000)

    def probe(one: str = typer.Option("", help="Of [tool.option].")):
        """In [tool.help], [link], [1].

        And [tool.more].
        """

    verb(probe)

    shown = run("probe", "--help").output
    assert "In [tool.help], [link], [1]." in shown
    assert "And [tool.more]." in shown
    assert "Of [tool.option]." in shown


@pytest.mark.parametrize("words", [["schemas"], *(words for words, _ in leaves())], ids=" ".join)
def test_no_help_of_ours_loses_its_brackets(words, monkeypatch):
    """`[tool.streams]` stands in several."""
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 1_000)
    command = main._load(words[0], VERBS[words[0]])
    command = command.commands[words[1]] if words[1:] else command
    texts = [command.help, command.epilog, *(one.help for one in command.params)]

    shown = run(*words, "--help").output

    wanted = {found for text in texts for found in re.findall(r"\[[^\]]+\]", text)}
    assert [] == [one for one in wanted if one not in shown]


def plainly(*args):
    """Runs a verb as an emit-only install does: without the engine's libraries and Java."""
    code = (
        "import sys\n"
        "from streams.cli.main import app\n"
        "from streams.cli.unexpected import EXTRAS\n"
        "sys.modules.update(dict.fromkeys(EXTRAS))\n"
        f"app({list(args)}, prog_name='streams')\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "words",
    [
        *([name] for name in VERBS),
        *(["kafka", one] for one in ("up", "down", "status", "wipe")),
        ["offsets", "restore"],
        ["state", "reset"],
    ],
    ids=" ".join,
)
def test_asking_for_help_needs_no_extra(words):
    """Whoever asks what a verb does learns it before installing what it needs."""
    shown = plainly(*words, "--help")

    assert shown.returncode == 0, shown.stderr
    assert "Usage: streams " in shown.stdout


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (["run", "counters"], "engine"),
        (["lag", "counters"], "engine"),
        (["offsets", "restore", "counters"], "engine"),
        (["state", "reset", "counters"], "engine"),
        (["kafka", "up"], "local"),
        (["kafka", "status"], "local"),
    ],
    ids=str,
)
def test_doing_what_needs_an_extra_says_which_one(words, extra, monkeypatch):
    """One sentence to copy from, and no traceback."""
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)

    shown = plainly(*words)

    assert shown.returncode == 2
    assert shown.stderr.count("\n") == 1
    assert f"run: pip install 'millrace[{extra}]'" in shown.stderr


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (StreamsError("incomplete"), 1),
        (InputError("bad line"), 2),
        (BrokerUnavailable("no broker"), 3),
        (NotFound("no such key"), 4),
    ],
)
def test_an_error_is_one_line_and_its_exit_code(verb, error, exit_code):
    """Scripts read the code, people the line; nobody wants the traceback."""
    verb(raising(error))

    shown = run("probe")

    assert shown.exit_code == exit_code
    assert shown.stdout == ""
    assert shown.stderr == f"error: {error}\n"


def test_an_unexpected_error_is_70_with_a_hint(verb):
    """It is our fault, which the code says; the traceback is for who asks."""
    verb(raising(KeyError("x")))

    shown = run("probe")

    assert shown.exit_code == 70
    assert shown.stderr == "error: internal error: KeyError: 'x' (--debug shows where)\n"


def test_debug_shows_the_traceback(verb):
    """To report a fault one needs its place."""
    verb(raising(KeyError("x")))

    shown = run("--debug", "probe")

    assert shown.exit_code == 70
    assert "Traceback" in shown.stderr


def test_log_level_debug_shows_the_traceback(verb, monkeypatch):
    """Whoever set it for a whole deployment need not add an option to each command."""
    monkeypatch.setenv("STREAMS_LOG_LEVEL", "debug")
    verb(raising(KeyError("x")))

    assert "Traceback" in run("probe").stderr


def test_ctrl_c_is_130_and_says_nothing(verb):
    """As a shell expects of an interrupted command."""
    verb(raising(KeyboardInterrupt()))

    shown = run("probe")

    assert shown.exit_code == 130
    assert "Traceback" not in shown.output


def test_wrong_usage_is_2(verb):
    """So that a script can tell a mistake of its own from a failure."""
    verb(lambda: None)

    assert run("probe", "--nonsense").exit_code == 2
    assert run("no-such-verb").exit_code == 2


def test_a_typing_error_is_answered_with_the_nearest_verb():
    """Help that teaches."""
    assert "Did you mean 'get'" in run("gett").stderr


def test_a_missing_extra_is_one_sentence(verb):
    """An emit-only install lacks polars on purpose."""
    verb(raising(ModuleNotFoundError("No module named 'polars'", name="polars")))

    shown = run("probe")

    assert shown.exit_code == 2
    assert "pip install 'millrace[engine]'" in shown.stderr


def test_a_group_of_verbs_keeps_its_own_commands(verb):
    """`streams quarantine list` is a typer app in one file."""
    group = typer.Typer()
    group.command("list")(lambda: typer.echo("listed"))
    group.command("show")(lambda: None)
    verb(group)

    assert run("probe", "list").stdout == "listed\n"


def test_modules_beside_the_users_pyproject_can_be_imported(verb, tmp_path, monkeypatch):
    """`streams run mine:SERVICE` works in a project that is not installed."""
    (tmp_path / "pyproject.toml").write_text("[tool.streams]\n")
    (tmp_path / "beside_the_pyproject.py").write_text("NAME = 'found'\n")
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    monkeypatch.setattr(sys, "path", list(sys.path))

    def probe():
        import beside_the_pyproject

        typer.echo(beside_the_pyproject.NAME)

    verb(probe)

    assert run("probe").stdout == "found\n"


def test_a_reader_that_goes_away_is_no_error():
    """`streams dump … | head` must not end with a complaint."""
    code = (
        "import sys, types\n"
        "from streams.cli import main\n"
        "from streams.cli.verbs import VERBS, Verb\n"
        "module = types.ModuleType('probe')\n"
        "def probe():\n"
        "    for n in range(100_000):\n"
        "        print(n)\n"
        "module.probe = probe\n"
        "sys.modules['probe'] = module\n"
        "VERBS['probe'] = Verb('probe:probe', 'Read', '', '')\n"
        "sys.argv = ['streams', 'probe']\n"
        "main.main()\n"
    )

    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        child.stdout.close()
        complaint = child.stderr.read()
        child.wait(timeout=60)

    assert complaint == b""
