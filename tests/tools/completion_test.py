"""Words completed in real shells, on a terminal as a user has one; the manual page as groff reads it; docs/keys.md.

usage: completion_test.py SOURCE_DIR BUILD_DIR

Shells that are not installed here are named and skipped.
"""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(sys.argv[1])
BUILD = pathlib.Path(sys.argv[2])
KVSCOPE = BUILD / "experiments/kvscope"

# What is typed before TAB -> what stands on the line behind it, where one word is left.
UNIQUE = {
    "kvscope describ": "kvscope describe ",
    "kvscope run policy=snap": "kvscope run policy=snapkv ",
    "kvscope run gen.store_l": "kvscope run gen.store_last_scale=",
    "kvscope run gen.cuts=per_s": "kvscope run gen.cuts=per_step ",
    "kvscope run +experiment=quickstart_n": "kvscope run +experiment=quickstart_next_token ",
    "kvscope run -m policy=full,snap": "kvscope run -m policy=full,snapkv ",
    "kvscope run --multi": "kvscope run --multirun ",
    "kvscope run --cfg hy": "kvscope run --cfg hydra ",
    "kvscope attention rec": "kvscope attention record ",
    "kvscope table resul": "kvscope table results/",
    "kvscope tokenize prompts_of_min": "kvscope tokenize prompts_of_mine.txt ",
    "kvscope run prompts.file=prompts_of_min": "kvscope run prompts.file=prompts_of_mine.txt ",
}

failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def run(*words, **options):
    return subprocess.run([str(KVSCOPE), *words], capture_output=True, text=True, check=False, **options)


def answers(*words):
    return [line.split("\t")[0] for line in run("complete", "--", *words).stdout.splitlines()]


class Terminal:
    """A shell on a pseudo-terminal."""

    def __init__(self, command, folder):
        environment = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(folder),
                       "KVSCOPE_CONFIGS": str(SOURCE / "configs"), "PS1": "$ ", "LANG": "C.UTF-8"}
        self.process, self.file = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)

    def read_until(self, pattern, seconds=30):
        text, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.file], [], [], 0.1)[0]:
                try:
                    text += os.read(self.file, 65536).decode("utf-8", "replace")
                except OSError:
                    break
            if re.search(pattern, text):
                return text
        return text

    def send(self, text):
        os.write(self.file, text.encode())

    def close(self):
        os.close(self.file)
        os.waitpid(self.process, 0)


def completed(terminal, typed, expected):
    """The line that TAB makes of what is typed; a comment behind it keeps the shell from running it."""
    terminal.send(typed + "\t")
    seen = terminal.read_until(re.escape(expected))
    terminal.send("\x15\n")
    terminal.read_until(r"\$ $", 2)
    return expected in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\r|\x07", "", seen)


def in_shell(shell, command, setup, folder):
    if shutil.which(shell) is None:
        print(f"skipped: no {shell} here")
        return
    terminal = Terminal(command, folder)
    terminal.read_until(r"\$ ")
    for line in setup:
        terminal.send(line + "\n")
    terminal.send("echo rea''dy\n")
    terminal.read_until("ready")
    for typed, expected in UNIQUE.items():
        check(completed(terminal, typed, expected), f"{shell}: '{typed}' TAB is not '{expected}'")
    terminal.close()
    print(f"{shell}: {len(UNIQUE)} lines completed")


def in_fish():
    if shutil.which("fish") is None:
        print("skipped: no fish here")
        return
    for typed, expected in UNIQUE.items():
        script = f"{KVSCOPE} completion fish | source; complete -C '{typed}'"
        answer = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=False,
                                env=shell_environment)
        words = [line.split("\t")[0] for line in answer.stdout.splitlines()]
        wanted = expected.split()[-1]
        check(words == [wanted], f"fish: '{typed}' gives {words}, not {wanted}: {answer.stderr[:200]}")
    print(f"fish: {len(UNIQUE)} lines completed")


def program_answers():
    check("policy=" in answers("run", ""), "groups are offered")
    check("+experiment=" in answers("run", ""), "+experiment= is offered")
    check("+experiment=" in answers("run", "+exp"), "+exp")
    check("experiment=" not in answers("run", "exp"), "a group that nothing chose needs its +")
    check("gen." in answers("run", "ge") and "gen.cfg=" not in answers("run", "ge"), "a part of a key at a time")
    check("hydra.sweep.dir=" in answers("run", "hydra.sweep."), "Hydra's own keys")
    check(set(answers("run", "gen.store_last_scale=")) == {"gen.store_last_scale=true", "gen.store_last_scale=false"},
          "words of a flag")
    check("policy/snapkv" in answers("describe", "policy/s"), "options of groups")
    check("keys" in answers("list", "k"), "what list lists")
    check("complete" not in answers("compl"), "the helper is not offered")
    check(answers("nonsense", "x") == [] and answers("run", "--config-dir", "/nowhere", "p") == [], "nothing for nonsense")
    check(answers("table", "") == [":folders"], "folders")
    check(":files" in answers("verify", ""), "files")
    check(run("completion", "bahs").returncode == 2, "an unknown shell is a wrong option")
    begin = time.process_time()
    before = os.times().children_user
    for _ in range(3):
        answers("run", "policy.sc")
    seconds = (os.times().children_user - before) / 3
    check(seconds < 1, f"an answer takes {seconds:.2f} s of CPU")
    print(f"an answer takes {seconds:.2f} s of CPU", begin and "")


def pages():
    printed = run("list", "keys", "--format", "md").stdout
    committed = (SOURCE / "docs/keys.md").read_text(encoding="utf-8")
    check(printed == committed, "docs/keys.md is not what `kvscope list keys --format md` prints; run it again")
    manual = run("man").stdout
    for part in ("kvscope run", "\\-\\-multirun", "EXIT STATUS", "KVSCOPE_CONFIGS", "multirun/NAME"):
        check(part in manual, f"the manual page has no {part}")
    check("complete \\fR" not in manual and "what may stand at the end of a line" not in manual, "a helper in the manual")
    if shutil.which("groff") is None:
        print("skipped: no groff here")
    else:
        answer = subprocess.run(["groff", "-man", "-z", "-ww", "-Tutf8"], input=manual, capture_output=True, text=True,
                                check=False)
        check(answer.returncode == 0 and answer.stderr == "", f"groff: {answer.stderr[:500]}")
        text = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou"], input=manual, capture_output=True, text=True,
                              check=False).stdout
        check("--multirun" in text and "interrupted; the same command goes on" in text, "the page as it reads")


def main():
    global shell_environment
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kvscope_completion_"))
    (folder / "bin").mkdir()
    (folder / "bin/kvscope").symlink_to(KVSCOPE)
    (folder / "results").mkdir()
    (folder / "prompts_of_mine.txt").write_text("a red circle\n", encoding="utf-8")
    shell_environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "HOME": str(folder)}
    os.chdir(folder)
    program_answers()
    in_shell("bash", ["bash", "--norc", "--noprofile", "-i"],
             ["bind 'set bell-style none'", "source <(kvscope completion bash)"], folder)
    in_shell("zsh", ["zsh", "-f", "-i"],
             ["PS1='$ '", "unsetopt zle_bracketed_paste", "autoload -U compinit", "compinit -D -u",
              "source <(kvscope completion zsh)"], folder)
    in_fish()
    pages()
    left = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    check(left == ["bin", "prompts_of_mine.txt", "results"], f"completion left {left}")
    os.chdir("/")
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
