"""prompt.py - drive belljar's prompt through a pseudo-terminal

Usage: prompt.py BELLJAR DIRECTORY. The directory is scratch space of ours. Prints one line for each check; exit status 1 when one failed.
Only the standard library is used.
"""
import os
import pty
import re
import select
import signal
import stat
import struct
import subprocess
import sys
import termios
import time
import fcntl

BELLJAR, SCRATCH = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r")
failed = 0


def check(name, good, seen=b""):
    global failed
    print(f"{'ok' if good else 'not ok'} - {name}")
    if not good:
        failed += 1
        print("   seen:", repr(seen[-600:]))


class Terminal:
    """A belljar on a pty of its own, as the leader of its session."""

    def __init__(self, *args, **env):
        variables = {"HOME": SCRATCH, "TERM": "xterm", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        variables.update(env)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(SCRATCH)
            os.execve(BELLJAR, [BELLJAR, *args], variables)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
        self.seen = b""
        self.status = None

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += ESCAPES.sub(b"", data)
        return bool(data)

    def expect(self, pattern, seconds=10):
        """Wait until the pattern appears in what was not matched before; returns the text up to its end, or None."""
        pattern = re.compile(pattern.encode(), re.S)
        end = time.monotonic() + seconds
        while True:
            found = pattern.search(self.seen)
            if found:
                text, self.seen = self.seen[: found.end()], self.seen[found.end():]
                return text
            left = end - time.monotonic()
            if left <= 0 or not self.read(left):
                return None

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self, seconds=10):
        """Its exit status, or None when it does not end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                return self.status
            self.read(0.02)
        return None

    def kill(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


def expected(terminal, name, pattern, seconds=10):
    text = terminal.expect(pattern, seconds)
    check(name, text is not None, terminal.seen)
    return text


PROMPT = r"belljar[#>] "


def lines():
    t = Terminal()
    expected(t, "a banner of one line, then the prompt", r"^belljar[^\n]*\n" + PROMPT)
    t.type("echo one two\r")
    expected(t, "a command runs", r"echo one two\n" + r"one two\n" + PROMPT)
    t.type("echo 'first\r")
    expected(t, "an open quote asks for more", r"\.\.\.> ")
    t.type("second'\r")
    expected(t, "and the rest of it completes the command", r"first\nsecond\n" + PROMPT)
    t.type("echo a \\\rb\r")
    expected(t, "a backslash continues", r"a b\n" + PROMPT)
    t.type("ec short\r")
    expected(t, "a unique prefix is enough at the prompt", r"\nshort\n" + PROMPT)
    t.type("ecko x\r")
    text = expected(t, "an unknown command is explained", r"did you mean echo.*?" + PROMPT)
    check("without file and line", text is not None and b"belljar:" not in text and b":1:" not in text, text or b"")
    t.type("frob; echo not reached\r")
    text = expected(t, "what follows an error on the line is dropped", PROMPT)
    text = (text or b"") + (t.expect(r"$", 1) or b"")
    check("and does not run", b"\nnot reached" not in text, text)
    t.type("set name value; echo $name\r")
    expected(t, "variables", r"\nvalue\n" + PROMPT)
    t.type("\x04")
    check("Ctrl-D leaves with status 0", t.wait() == 0, t.seen)
    t.kill()


def interrupts():
    t = Terminal()
    t.expect(PROMPT)
    t.type("echo do not run this")
    t.expect("do not run this")
    t.type("\x03")
    text = expected(t, "Ctrl-C drops the line and stays", r"\^C\n" + PROMPT)
    t.type("echo still here\r")
    expected(t, "and the next one runs alone", r"\nstill here\n" + PROMPT)
    t.type("echo 'open\r")
    t.expect(r"\.\.\.> ")
    t.type("\x03")
    expected(t, "Ctrl-C drops a command of several lines", r"\^C\n" + PROMPT)
    t.type("sleep 20\r")
    t.expect("sleep 20\n")
    time.sleep(0.3)
    t.type("\x03")
    expected(t, "Ctrl-C ends sleep", r"interrupted.*" + PROMPT, 5)
    t.type("!sleep 20\r")
    t.expect("!sleep 20\n")
    time.sleep(0.3)
    t.type("\x03")
    expected(t, "Ctrl-C ends a host command", r"exit status 130.*" + PROMPT, 5)
    t.type("!cat\r")
    t.expect("!cat\n")
    time.sleep(0.2)
    t.type("hello\r")
    expected(t, "a host command reads the terminal", r"hello\nhello\n", 5)
    t.type("\x1a")
    time.sleep(0.2)
    t.type("again\r")
    expected(t, "Ctrl-Z does not leave it behind", r"again\nagain\n", 5)
    t.type("\x04")
    expected(t, "and its end gives the prompt back", PROMPT, 5)
    t.type("!stty -echo raw\r")
    t.expect(PROMPT)
    t.type("echo modes are back\r")
    expected(t, "terminal modes are restored after a host command", r"echo modes are back\nmodes are back\n" + PROMPT)
    t.type("echo last; quit\r")
    check("quit leaves with status 0", t.wait() == 0, t.seen)
    t.kill()


def signals():
    for number in signal.SIGTERM, signal.SIGHUP:
        t = Terminal()
        t.expect(PROMPT)
        os.kill(t.pid, number)
        check(f"{number.name} at the prompt: it leaves with status {128 + number}", t.wait(5) == 128 + number, t.seen)
        t.kill()
    t = Terminal()
    t.expect(PROMPT)
    t.type("sleep 30\r")
    t.expect("sleep 30\n")
    time.sleep(0.2)
    os.kill(t.pid, signal.SIGTERM)
    check("SIGTERM during a command: it leaves", t.wait(5) == 128 + signal.SIGTERM, t.seen)
    t.kill()


def history():
    path = os.path.join(SCRATCH, ".local/state/belljar/history")
    check("history is a file in ~/.local/state", os.path.exists(path))
    check("readable by its owner only", stat.S_IMODE(os.stat(path).st_mode) == 0o600)
    check("in a directory of its owner only", stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700)
    os.unlink(path)
    t = Terminal()
    t.expect(PROMPT)
    for line in ("echo kept", "echo kept", " echo secret", "echo 'two\rlines'"):
        t.type(line + "\r")
        t.expect(PROMPT)
    t.type("history\r")
    text = expected(t, "history lists", r"history\n.*" + PROMPT) or b""
    check("no line twice in a row", text.count(b"echo kept") == 1, text)
    check("nothing that began with a space", b"secret" not in text, text)
    t.type("quit\r")
    t.wait()
    t.kill()
    saved = open(path).read()
    check("and so in the file", saved.count("echo kept") == 1 and "secret" not in saved, saved.encode())
    t = Terminal()
    t.expect(PROMPT)
    t.type("\x1b[A\x1b[A\x1b[A\x1b[A")
    expected(t, "another belljar goes back to it with the cursor keys", r"'two.*kept")
    t.type("\x03")
    t.expect(PROMPT)
    t.type("history 3\r")
    text = expected(t, "a command of several lines stays one", r"echo 'two.{1,6}lines'\n.*" + PROMPT)
    t.type("\x04")
    t.wait()
    t.kill()
    other = os.path.join(SCRATCH, "elsewhere")
    for value, made in ((other, True), ("", False), ("/dev/null", False)):
        size = os.path.getsize(path)
        t = Terminal(BELLJAR_HISTFILE=value)
        t.expect(PROMPT)
        t.type("echo moved\r")
        t.expect(r"\nmoved\n" + PROMPT)
        t.type("\x04")
        t.wait()
        t.kill()
        check(f"BELLJAR_HISTFILE={value!r}: nothing goes to the usual file", os.path.getsize(path) == size)
        check(f"BELLJAR_HISTFILE={value!r}: {'its file' if made else 'no file'} is written", not made or "moved" in open(other).read())
    os.unlink(path)
    os.symlink(other, path)
    before = open(other).read()
    t = Terminal()
    t.expect(PROMPT)
    t.type("echo through a link\r")
    t.expect(PROMPT)
    t.type("\x04")
    t.wait()
    t.kill()
    check("a symbolic link in the history's place is not followed", open(other).read() == before)
    os.unlink(path)


def completion():
    t = Terminal()
    t.expect(PROMPT)
    t.type("ech\t")
    expected(t, "Tab completes a command", r"echo ")
    t.type("done\r")
    expected(t, "and it runs", r"\ndone\n" + PROMPT)
    t.type("expect wo\t")
    expected(t, "Tab completes a keyword", r"works ")
    t.type("ech\t")
    expected(t, "Tab completes a command within a command", r"echo ")
    t.type("\x03")
    t.expect(PROMPT)
    os.makedirs(os.path.join(SCRATCH, "files"), exist_ok=True)
    open(os.path.join(SCRATCH, "files", "unusual.bell"), "w").write("echo from the file\n")
    t.type("source fil\t")
    expected(t, "Tab completes a directory, without a blank behind it", r"files/")
    t.type("unu\t\r")
    expected(t, "and a file in it", r"\nfrom the file\n" + PROMPT)
    t.type("s\t\t")
    expected(t, "Tab twice lists what is possible", r"set.*sleep.*source")
    t.type("\x03")
    t.expect(r"\^C\n" + PROMPT)
    t.type("\x04")
    check("Ctrl-D still leaves", t.wait() == 0, t.seen)
    t.kill()


def dumb():
    t = Terminal(NO_COLOR="", TERM="xterm-256color")
    t.expect(PROMPT)
    t.kill()
    t = Terminal("--color=always", TERM="dumb")
    t.expect(PROMPT)
    t.type("echo fine\r")
    expected(t, "a dumb terminal will do", r"fine")
    t.type("\x04")
    t.wait()
    t.kill()


def holder(t):
    """The first process of the newest sandbox."""
    text = subprocess.run(["pgrep", "-P", str(t.pid), "-f", "belljar-holder"], capture_output=True, text=True).stdout.split()
    return int(text[-1]) if text else 0


def sandboxes():
    web = r"web# "
    t = Terminal()
    t.expect(PROMPT)
    t.type("new web\r")
    expected(t, "the prompt names the sandbox", r"new web\n" + web)
    t.type("new db\r")
    expected(t, "the current one", r"db# ")
    t.type("use w\t\r")
    expected(t, "Tab completes a sandbox", r"use web \n" + web)
    t.type("@d\tshow\r")
    expected(t, "and @NAME", r"@db show\n.*db: .*" + web)
    t.type("undo\r")
    expected(t, "undo", r"took back: new db\n.*" + web)
    t.type("run sleep 20\r")
    t.expect(r"sleep 20\n")
    time.sleep(0.5)
    t.type("\x03")
    expected(t, "Ctrl-C ends a program", r"exit status 130.*" + web, 5)
    t.type("sh\r")
    expected(t, "sh: a shell", r"[#$] ")
    t.type("echo inside; tty; exit 3\r")
    text = expected(t, "it has a terminal", r"\ninside\n/dev/\S+\n.*" + web, 5) or b""
    check("its last status is no news", b"exit status" not in text, text)
    t.type("echo after\r")
    expected(t, "and the prompt works after it", r"\nafter\n" + web)
    t.type("run -d sleep 60\r")
    t.expect(web)
    t.type("quit\r")
    expected(t, "quit says what still runs", r"still runs in web.*try: quit force.*" + web)
    t.type("\x04")
    expected(t, "Ctrl-D asks", r"still runs in web.*\(y/n\) ")
    t.type("n\r")
    expected(t, "n stays", web)
    t.type("\x04")
    t.expect(r"\(y/n\) ")
    t.type("\x03")
    expected(t, "Ctrl-C too", web)
    pid = holder(t)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    t.type("echo x\r")
    expected(t, "a sandbox that was killed from outside is announced", r"web: .*killed from outside.*" + PROMPT)
    t.type("new again\r")
    t.expect(r"again# ")
    t.type("run -d sleep 60\r")
    t.expect(r"again# ")
    pid = holder(t)
    check("a holder is there", pid != 0)
    t.type("\x04")
    t.expect(r"\(y/n\) ")
    t.type("y\r")
    check("y leaves with status 0", t.wait() == 0, t.seen)
    check("and the sandbox is gone", not os.path.exists(f"/proc/{pid}"))
    t.kill()
    t = Terminal()
    t.expect(PROMPT)
    t.type("new web; run -d sleep 60\r")
    t.expect(r"web# ")
    pid = holder(t)
    os.close(t.fd)
    t.fd = os.open("/dev/null", os.O_RDONLY)
    check("the terminal goes away: belljar leaves", t.wait(5) is not None)
    check("and nothing of it stays", not os.path.exists(f"/proc/{pid}"))
    t.kill()


for part in lines, interrupts, signals, history, completion, dumb:
    part()
if os.geteuid() == 0:
    sandboxes()
sys.exit(1 if failed else 0)
