"""The workloads that servers are compared with."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str  # for --only, and in the JSON results
    title: str
    options: tuple  # of wsio-bench
    unit: str = "message"  # what is counted; "" for a workload that measures memory alone
    compress: bool = False  # measured with those servers alone that can
    is_short: bool = False  # takes no --duration: once is enough, the figure does not vary


def _echo(connections, size, *more):
    return ("--connections", str(connections), "--size", size, *more)


ALL = (
    Workload("1x16", "1 x 16 B", _echo(1, "16")),
    Workload("100x16", "100 x 16 B", _echo(100, "16")),
    Workload("1000x16", "1000 x 16 B", _echo(1000, "16")),
    Workload("100x16x32", "100 x 16 B, 32 deep", _echo(100, "16", "--depth", "32")),
    Workload("100x1k", "100 x 1 KiB", _echo(100, "1k")),
    Workload("16x64k", "16 x 64 KiB", _echo(16, "64k", "--binary")),
    Workload("4x1m", "4 x 1 MiB", _echo(4, "1M", "--binary")),
    Workload("16x64k-chinese", "16 x 64 KiB Chinese text", _echo(16, "64k", "--chinese")),
    Workload("100x1k-json", "100 x 1 KiB JSON, compressed", _echo(100, "1k", "--payload", "json", "--compress"), compress=True),
    Workload("16x64k-json", "16 x 64 KiB JSON, compressed", _echo(16, "64k", "--payload", "json", "--compress"), compress=True),
    Workload("connect", "connections opened and closed", ("--mode", "connect", "--connections", "100"), "connection"),
    Workload("idle", "memory of an idle connection", ("--mode", "idle", "--connections", "{idle}"), "", is_short=True),
)


def chosen(names):
    """Gives the workloads of these names, or all if there are none."""
    known = {workload.name: workload for workload in ALL}
    for name in names:
        if name not in known:
            raise SystemExit(f"error: no workload {name}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(ALL)
