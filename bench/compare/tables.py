"""Writes the figures as tables: for the terminal and for the documentation."""

import workloads

BEGIN = "<!-- Written by script/bench --publish, from here -->"
END = "<!-- to here -->"


def number(value):
    """Writes a number with three digits or so."""
    if value >= 1e6:
        return f"{value / 1e6:.2f}M"
    if value >= 1e5:
        return f"{value / 1e3:.0f}k"
    if value >= 1e4:
        return f"{value / 1e3:.1f}k"
    return f"{value:.0f}"


def microseconds(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def ratio(mine, other):
    return f"{mine / other:.2f}x" if other else "-"


def is_memory(workload):
    return not workload.unit


def figure(workload, found):
    """Gives what a workload is about: more is better, but for memory."""
    return found["rss_bytes_per_connection"] if is_memory(workload) else found["per_second"]


def measured_workloads(results):
    return [workload for workload in workloads.ALL if workload.name in results["workloads"]]


def lay_out(rows):
    """Aligns the cells of rows: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def text_of(workload, found):
    rows = []
    wsio = found.get("wsio")
    if is_memory(workload):
        rows.append(["", "bytes each", "wsio is"])
        for name, each in found.items():
            rows.append([name, f"{figure(workload, each):.0f}", ratio(figure(workload, wsio), figure(workload, each)) if wsio else "-"])
        return lay_out(rows)
    rows.append(["", "/s", "spread", "wsio is", "CPU us", "wsio needs", "p50 us", "p99 us", "calls", "bytes back", "server", "generator"])
    for name, each in found.items():
        calls = each.get("system_calls")
        rows.append([name, number(each["per_second"]),
                     f"{(each['per_second_most'] - each['per_second_least']) / each['per_second'] * 100:.0f} %",
                     ratio(wsio["per_second"], each["per_second"]) if wsio else "-",
                     microseconds(each["cpu_us"]), ratio(wsio["cpu_us"], each["cpu_us"]) if wsio else "-",
                     microseconds(each["p50_us"]), microseconds(each["p99_us"]),
                     "-" if calls is None else f"{calls:.2f}", f"{each['received_bytes']:.0f}", f"{each['cpu_share'] * 100:.0f} %",
                     f"{each['generator_cpu_share'] * 100:.0f} %"])
    return lay_out(rows)


def as_text(results):
    """Gives all figures, for a terminal."""
    parts = [f"{workload.title}\n{text_of(workload, results['workloads'][workload.name])}\n"
             for workload in measured_workloads(results)]
    return "\n" + "\n".join(parts)


def markdown(rows):
    head, *body = rows
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in body])


def in_order(results):
    """Gives the servers in the order of the documentation: wsio, the limit, then the peers."""
    return sorted(results["servers"], key=lambda name: {"wsio": 0, "floor": 1}.get(name, 2))


def table(results, title, cell, choose):
    names = in_order(results)
    rows = [[title, *(f"**{name}**" if name == "wsio" else name for name in names)]]
    for workload in filter(choose, measured_workloads(results)):
        found = results["workloads"][workload.name]
        rows.append([workload.title, *(cell(workload, found[name]) if name in found else "-" for name in names)])
    return markdown(rows)


def as_markdown(results):
    machine = results["machine"]
    head = (f"Measured on {results['date']}: {machine['cores']} cores ({machine['architecture']}), {machine['system']}, "
            f"{machine['compiler']}, `-O3 -march=native`. Medians of {results['rounds']} rounds of {results['seconds']:g} s.")
    counted = lambda workload: not is_memory(workload)  # noqa: E731
    calls = lambda _, each: "-" if each.get("system_calls") is None else f"{each['system_calls']:.2f}"  # noqa: E731
    return "\n\n".join([
        head,
        "Messages a second (for the last row connections):\n\n"
        + table(results, "connections x payload", lambda _, each: number(each["per_second"]), counted),
        "CPU time of the server for each message, in µs (for the last row for each connection):\n\n"
        + table(results, "connections x payload", lambda _, each: microseconds(each["cpu_us"]), counted),
        "System calls of the server for each message:\n\n" + table(results, "connections x payload", calls, counted),
        "Bytes in which a compressed message comes back:\n\n"
        + table(results, "connections x payload", lambda _, each: f"{each['received_bytes']:.0f}", lambda w: w.compress),
        f"Memory of the server for each idle connection ({results['idle_connections']} are open), in bytes:\n\n"
        + table(results, "", lambda workload, each: f"{figure(workload, each):.0f}", is_memory),
    ])


def publish(results, path):
    """Puts the chart and the tables between the marks in a file."""
    chart = "![Messages a second for each workload and server](performance.svg)"
    with open(path, encoding="utf-8") as file:
        before, _, rest = file.read().partition(BEGIN)
    after = rest.partition(END)[2]
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{chart}\n\n{as_markdown(results)}\n\n{END}{after}")
