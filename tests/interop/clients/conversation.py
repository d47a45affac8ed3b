"""The conversation that every driver holds, for those in Python; ../README.md has the rules."""

import json
import os
import sys
import threading

url, version, closer, names = sys.argv[1:5]
subprotocol = sys.argv[5] if len(sys.argv) > 5 else None

_known = {
    "hello": "hello",
    "multibyte": "h\u00e9llo \u2013 \u2603 \U0001d11e \u65e5\u672c\u8a9e",
    "long": "x" * 300,
    "large": "y" * 70000,
    "binary": b"\x00\xff\x80\x00",
    "empty": "",
    "records": ",".join(f'{{"id":{i},"name":"user{i * 7919 % 1000}","score":{i * 104729 % 10007}}}' for i in range(500)),
}
messages = [_known[name] for name in names.split(",")]
origin = os.environ.get("ORIGIN") or "http://" + url.split("/")[2]

compress = "COMPRESS" in os.environ

# What presets version 7 or 8 in libraries that mean to speak 13; those drafts have their own name for the origin.
preset_headers = {"Sec-WebSocket-Version": version, "Sec-WebSocket-Origin": origin}


def report(**facts):
    """Prints the result and ends the process."""
    print(json.dumps(facts), flush=True)
    os._exit(1 if "failed" in facts else 0)


def check(got, expected):
    if got != expected:
        report(failed=f"came back as {got[:60]!r}")


_timer = threading.Timer(15, lambda: report(failed="timed out"))
_timer.daemon = True
_timer.start()
