"""Record the picture of the README: a real run of the installed command in a terminal, against a server on loopback.

python -m docs.recording > docs/assets/recording.svg
"""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from optimizer.git.identity import identify
from optimizer.privacy.consent import grant
from tests.loopback.replies import Call, Reply, Tokens
from tests.loopback.server import Loopback

COMMAND = Path(sys.executable).with_name("optimize")
COLUMNS, ROWS = 104, 60
REQUEST = "make parse_response skip empty parts"
FILES = {
    "calc/__init__.py": "",
    "calc/parse.py": '''"""Read what people type."""


def parse_response(text):
    """Split `text` into numbers."""
    parts = text.split(",")
    return [int(part) for part in parts]


def total(text):
    return sum(parse_response(text))
''',
    "tests/test_parse.py": """from calc.parse import parse_response, total


def test_numbers():
    assert parse_response("1,2") == [1, 2]
    assert total("1,2") == 3
""",
    "pyproject.toml": '[project]\nname = "calc"\nversion = "1"\n\n[tool.pytest.ini_options]\npythonpath = ["."]\n',
}


WHITE = (222, 228, 236)
COLOURS = [
    (72, 79, 88),
    (255, 123, 114),
    (86, 211, 100),
    (227, 179, 65),
    (121, 192, 255),
    (210, 168, 255),
    (86, 212, 221),
]
THEME = TerminalTheme((13, 17, 23), WHITE, [*COLOURS, WHITE])
LONGEST_PAUSE = 1.0  # seconds between two lines of the picture; what takes longer is shortened
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-matrix text {{ animation: appear 0.15s backwards; }}
@keyframes appear {{ from {{ opacity: 0; }} }}
@media (prefers-reduced-motion: reduce) {{ .{unique_id}-matrix text {{ animation: none; }} }}
.{unique_id}-title {{ font-family: ui-sans-serif, sans-serif; font-size: 16px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    """Print the recording as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        server = Loopback()
        try:
            screen, times = _run(Path(folder), server)
        finally:
            server.close()
    sys.stdout.write(_picture(screen, times))


def _picture(screen: str, times: list[float]) -> str:
    """The screen as SVG; each line appears when it did, with long pauses shortened."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(re.sub(r"[^\n]*\r\x1b\[K", "", screen).replace("\r", "")))
    picture = console.export_svg(title="optimize", theme=THEME, code_format=PICTURE, unique_id="r")
    delays, before, at = [0.0], times[0], 0.6
    for moment in times:
        at += min(moment - before, LONGEST_PAUSE)
        before = moment
        delays.append(at)

    def delayed(match: re.Match[str]) -> str:
        delay = delays[min(int(match[1]), len(delays) - 1)]
        return f'{match[0]} style="animation-delay: {delay:.2f}s"'

    return re.sub(r'clip-path="url\(#r-line-(\d+)\)"', delayed, picture)


def _run(folder: Path, server: Loopback) -> tuple[str, list[float]]:
    home, project = folder / "home", folder / "calc"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "calc"]):
        subprocess.run(["git", *words], cwd=project, check=True)
    config = home / ".config/optimizer/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(server.config("ollama", "anthropic"))
    host = server.url.removeprefix("http://")
    state = home / ".local/state/optimizer"
    grant(state, str(project), "anthropic", host, partial(identify, project, state))
    server.served["ollama"] = ("qwen2.5-coder:7b",)
    server.queue(
        "ollama", Reply(calls=(_edit("    return [int(part) for part in parts if strip(part)]\n"),), stop="tool")
    )
    good = _edit("    return [int(part) for part in parts if part.strip()]\n")
    server.queue("anthropic", Reply(calls=(good,), stop="tool", tokens=Tokens(1450, 96)))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TERM": "xterm",
        "ANTHROPIC_API_KEY": "key",
    }
    subprocess.run([COMMAND, "trust", "grant", "tests"], cwd=project, env=env, check=True, capture_output=True)
    screen, times = _typed(project, env)
    return f'$ optimize "{REQUEST}"\n{screen}', times


def _edit(line: str) -> Call:
    return Call("edit_file", {"path": "calc/parse.py", "start": 7, "end": 7, "content": line})


def _typed(project: Path, env: dict[str, str]) -> tuple[str, list[float]]:
    """What the terminal shows of a run in which the question is answered with yes, and when each line came."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(project)
        size = {"COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
        os.execve(COMMAND, [str(COMMAND), REQUEST], {**env, **size})
    screen, answered, deadline = "", False, time.monotonic() + 120
    times: list[float] = []
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                screen += os.read(terminal, 65536).decode()
            except OSError:
                break
            times += [time.monotonic()] * (screen.count("\n") + 1 - len(times))
        if "[y/N]" in screen and not answered:
            time.sleep(1.0)
            os.write(terminal, b"y\n")
            answered = True
    os.waitpid(pid, 0)
    os.close(terminal)
    return screen, times


if __name__ == "__main__":
    main()
