#!/usr/bin/env python3
"""Measures wsio and its peers with the same load, by turns, and writes the figures down. Started by script/bench."""

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

import chart
import servers
import tables
import workloads

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read_arguments():
    parser = argparse.ArgumentParser(prog="script/bench", description=__doc__, allow_abbrev=False)
    parser.add_argument("--rounds", type=int, help="times that each server is measured with each workload (5)")
    parser.add_argument("--seconds", type=float, help="length of one measurement (2.5)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 0.7 s: a look, not a result to keep")
    parser.add_argument("--only", action="append", default=[], metavar="WORKLOAD", help="may be given more than once: "
                        + ", ".join(workload.name for workload in workloads.ALL))
    parser.add_argument("--peers", metavar="LIST", help="servers to measure beside wsio, such as floor,beast (all)")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME=COMMAND",
                        help="another server to measure; {port} in its command stands for the port to listen on")
    parser.add_argument("--output", default=os.path.join(ROOT, "build", "bench", "results.json"), metavar="FILE",
                        help="where the figures go, as JSON (%(default)s)")
    parser.add_argument("--publish", action="store_true", help="write the table and the chart into docs/performance.md and .svg")
    parser.add_argument("--from", dest="source", metavar="FILE", help="measure nothing, take the figures of this file")
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "bench"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    wanted.rounds = wanted.rounds or (2 if wanted.quick else 5)
    wanted.seconds = wanted.seconds or (0.7 if wanted.quick else 2.5)
    return wanted


def choose_servers(wanted):
    there, missing = servers.from_build(wanted.build)
    for name in missing:
        print(f"{name} is not there and is not measured")
    if wanted.peers is not None:
        names = ["wsio", *filter(None, wanted.peers.split(","))]
        unknown = set(names) - {server.name for server in there} - set(missing)
        if unknown:
            raise SystemExit(f"error: no peer {', '.join(sorted(unknown))}")
        there = [server for server in there if server.name in names]
    return there + [servers.from_option(text) for text in wanted.extra]


def raise_file_limit():
    """Lets servers and generator have as many connections as the system allows; gives how many to hold idle."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        most = 1 << 20
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return min(19000, most - 1000)


def generator(wanted, workload, port, seconds, idle, *more):
    options = [option.format(idle=idle) for option in workload.options]
    if workload.is_short:
        times = ["--duration", "1", "--warmup", "0"]
    else:
        times = ["--duration", str(seconds), "--warmup", str(min(0.5, seconds / 3))]
    command = [*servers.pinned(1), os.path.join(wanted.build, "bench", "wsio-bench", "wsio-bench"), f"ws://127.0.0.1:{port}/",
               "--json", *options, *times, *more]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    return json.loads(done.stdout)


def trace(wanted, server, workload, idle, *more):
    """Runs a workload for a moment; gives the system calls that the server made and what the generator says."""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as summary:
        with servers.running(server, ("strace", "-f", "-c", "-o", summary.name)) as (port, _):
            measured = generator(wanted, workload, port, 0.5, idle, "--warmup", "0", *more)
        for line in summary:
            fields = line.split()
            if fields and fields[-1] == "total":
                return int(fields[3 if len(fields) > 4 else -2]), measured
    raise RuntimeError("strace gives no summary")


def count_system_calls(wanted, server, workload, idle):
    """Gives the system calls that the server makes for each message; nothing when strace is not there."""
    if not shutil.which("strace") or not workload.unit:
        return None
    calls, measured = trace(wanted, server, workload, idle)
    if workload.unit == "message":  # starting up and opening connections is not to count
        calls -= trace(wanted, server, workload, idle, "--mode", "idle", "--duration", "0.05")[0]
    return calls / max(measured["total"], 1)


def fit(workload, chosen):
    """Gives the servers that can do what a workload asks for, told to do it."""
    return [server.compressing() for server in chosen if server.compress] if workload.compress else chosen


def measure_round(wanted, number, chosen, plan, idle, runs):
    for workload in plan:
        if workload.is_short and number > 0:
            continue
        # Each round begins with another server, so that none profits from its place.
        turn = number % len(chosen)
        for server in fit(workload, chosen[turn:] + chosen[:turn]):
            try:
                with servers.running(server) as (port, pid):
                    measured = generator(wanted, workload, port, wanted.seconds, idle, "--server-pid", str(pid))
            except (RuntimeError, OSError) as error:
                print(f"\r\x1b[K{server.name}, {workload.title}: {error}" if sys.stderr.isatty() else
                      f"{server.name}, {workload.title}: {error}", flush=True)
                continue
            runs.setdefault(workload.name, {}).setdefault(server.name, []).append(measured)
            if sys.stderr.isatty():
                print(f"\r\x1b[Kround {number + 1} of {wanted.rounds}: {workload.title}, {server.name}", end="", file=sys.stderr, flush=True)


def median(runs, *path):
    values = []
    for run in runs:
        for key in path:
            run = run[key]
        values.append(run)
    return statistics.median(values)


def summarise(runs):
    """Gives the medians of what one server did with one workload."""
    return {
        "runs": len(runs),
        "per_second": median(runs, "per_second"),
        "per_second_least": min(run["per_second"] for run in runs),
        "per_second_most": max(run["per_second"] for run in runs),
        "bytes_per_second": median(runs, "bytes_per_second"),
        "received_bytes": median(runs, "received_bytes_per_message"),
        "cpu_us": median(runs, "server", "cpu_us"),
        "cpu_share": median(runs, "server", "cpu_share"),
        "p50_us": median(runs, "latency_us", "p50"),
        "p99_us": median(runs, "latency_us", "p99"),
        "rss_bytes": median(runs, "server", "rss_bytes"),
        "rss_bytes_per_connection": median(runs, "server", "rss_bytes_per_connection"),
        "generator_cpu_share": median(runs, "generator_cpu_share"),
    }


def compiler_of(build):
    try:
        with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
            path = next(line.split("=", 1)[1].strip() for line in cache if line.startswith("CMAKE_CXX_COMPILER:"))
        return subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, StopIteration, subprocess.CalledProcessError):
        return "unknown"


def describe_machine(build):
    return {"cores": os.cpu_count(), "system": f"{platform.system()} {platform.release().split('-')[0]}",
            "architecture": platform.machine(), "compiler": compiler_of(build)}


def measure(wanted):
    chosen = choose_servers(wanted)
    plan = workloads.chosen(wanted.only)
    idle = raise_file_limit()
    if os.cpu_count() < 2:
        print("one processor alone: server and generator share it, and the figures say little")
    runs = {}
    for number in range(wanted.rounds):
        measure_round(wanted, number, chosen, plan, idle, runs)
    results = {"date": datetime.date.today().isoformat(), "machine": describe_machine(wanted.build), "rounds": wanted.rounds,
               "seconds": wanted.seconds, "idle_connections": idle, "servers": [server.name for server in chosen], "workloads": {}}
    if not shutil.which("strace"):
        print("strace is not there: system calls are not counted")
    for workload in plan:
        found = results["workloads"][workload.name] = {}
        for server in fit(workload, chosen):
            if server.name not in runs.get(workload.name, {}):
                continue
            found[server.name] = summarise(runs[workload.name][server.name])
            try:
                found[server.name]["system_calls"] = count_system_calls(wanted, server, workload, idle)
            except (RuntimeError, OSError) as error:
                print(f"{server.name}, {workload.title}, with strace: {error}")
                found[server.name]["system_calls"] = None
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    return results


def check_output(path):
    """Ends the program when there can be no such file, before the long measurement whose figures it is for."""
    folder = os.path.dirname(os.path.abspath(path))
    if os.path.isdir(path) or not os.access(path if os.path.exists(path) else folder, os.W_OK):
        raise SystemExit(f"error: --output: {path} cannot be written")


def write(results, path):
    try:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)
            file.write("\n")
    except OSError as error:
        raise SystemExit(f"error: --output: {path}: {error.strerror}") from error


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: --from: {path}: {error}") from error


def main():
    wanted = read_arguments()
    if wanted.source:
        results = read(wanted.source)
    else:
        check_output(wanted.output)
        results = measure(wanted)
    print(tables.as_text(results), flush=True)
    if not wanted.source:
        write(results, wanted.output)
    if wanted.publish:
        tables.publish(results, os.path.join(ROOT, "docs", "performance.md"))
        chart.draw(results, os.path.join(ROOT, "docs", "performance.svg"))
        print("Written: docs/performance.md, docs/performance.svg")


if __name__ == "__main__":
    main()
