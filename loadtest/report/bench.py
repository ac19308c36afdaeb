"""The tables of bench, for a document: tenk beside its floor, and the peers beside the same floor."""

COLUMNS = ("measure", "tenk", "beside it", "ratio")


def markdown(data):
    rows = [one for one in data["rows"] if isinstance(one, dict)]
    lines = [line(COLUMNS), line(["---", "---:", "---:", "---:"])]
    lines += [line([one["name"], figure(one["tenk"], one["unit"]), figure(one["beside"], one["unit"]), ratio(one)])
              for one in rows]
    for name, why in (data.get("failed") or {}).items():
        lines.append(line([f"{name}: not measured: {str(why).splitlines()[0]}", "", "", ""]))
    return "\n".join(lines + peers(rows)) + "\n"


def peers(rows):
    names = list(dict.fromkeys(name for one in rows for name in one["peers"]))
    if not names:
        return []
    lines = ["", line(["beside the floor", "tenk", *names]), line(["---", "---:", *["---:"] * len(names)])]
    return lines + [line([one["name"], f"{one['ratio']:.2f}", *(of_peer(one, name) for name in names)])
                    for one in rows if one["peers"]]


def of_peer(one, name):
    return f"{one['peers'][name]['ratio']:.2f}" if name in one["peers"] else ""


def ratio(one):
    if not one["ratio"]:
        return ""
    return f"{one['ratio']:.2f}" + (" ({:.2f} to {:.2f})".format(*one["spread"]) if one["spread"] else "")


def figure(value, unit):
    return f"{value:,.0f} {unit}" if unit in ("B", "/s") else f"{value:,.2f} {unit}"


def line(cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def made(data, day):
    rounds, seconds = data["made"]["rounds"], data["made"]["seconds_each"]
    minutes = round(sum(data.get("took", {}).values()) / 60)
    return f"Taken on {day} by `{data['made']['command']}`, in {minutes} minutes: medians of {rounds} rounds of {seconds} s in turn."
