"""Runs a program on a terminal, types, stops it and lets it go on, as a shell does on Ctrl-Z and fg, and types the rest. What the
terminal shows goes to standard output."""

import os
import pty
import signal
import sys
import termios
import time

program, half, rest, answer = sys.argv[1:3], *sys.argv[3:6]
child, master = pty.fork()
if child == 0:
    os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
    os.execv(program[0], [program[0], "connect", *program[1:]])


def read_until(text):
    shown = b""
    while text.encode() not in shown:
        shown += os.read(master, 65536)
    sys.stdout.buffer.write(shown)


signal.alarm(20)
read_until("> ")
os.write(master, half.encode())
read_until(half)
os.kill(child, signal.SIGSTOP)
os.waitpid(child, os.WUNTRACED)
modes = termios.tcgetattr(master)
modes[3] |= termios.ICANON | termios.ECHO
termios.tcsetattr(master, termios.TCSANOW, modes)
os.kill(child, signal.SIGCONT)
read_until(half)
while termios.tcgetattr(master)[3] & termios.ICANON:
    time.sleep(0.02)
os.write(master, rest.encode())
read_until(answer)
os.write(master, b"\x04")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
