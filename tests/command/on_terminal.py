"""Runs a program on a terminal of 80 columns: standard input is what is typed, standard output what the terminal gets. The
program's locale is that of WSIO_LOCALE."""

import fcntl
import os
import pty
import struct
import sys
import termios

child, master = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.environ.update(TERM="xterm", LC_ALL=os.environ.get("WSIO_LOCALE", "C.UTF-8"))
    os.execv(sys.argv[1], sys.argv[1:])
if os.fork() == 0:
    while typed := os.read(0, 1024):
        os.write(master, typed)
    os._exit(0)
try:
    while shown := os.read(master, 65536):
        os.write(1, shown)
except OSError:  # how a terminal says that nobody has it open any more
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
