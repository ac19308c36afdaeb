"""Memory by kind, kept apart, and what each kind is in this run's own figures."""

from . import figure, measure, panel, words

SCALES = [[measure.RESIDENT, measure.PROPORTIONAL], [measure.VIRTUAL], [measure.PAGE_TABLES, measure.KERNEL_STACKS]]


LEAD = ("Virtual memory is address space, which costs memory only where it is touched; it has a scale of its own. "
        "Page tables and kernel stacks are in none of the others. Held are proportional memory, page tables and "
        "kernel stacks together.")


def group(results, scenario):
    figures = [panel.by_connections(results, scenario, kinds) for kinds in SCALES]
    return panel.group("Memory by kind", [*sum(figures, []), told(results, scenario)],
                       "Memory was not measured in this scenario.", LEAD)


def told(results, scenario):
    connections = results.headline(scenario, "async", "threads") or results.headline(scenario)
    runs = {id: results.run(scenario, id, connections) for id in ("async", "threads")}
    said = [of(id, run) for id, run in runs.items()] + words.contrasts([measure.HELD], *runs.values())
    return panel.notes(said, f"At {figure.connections(connections)}:") if any(said) else None


def of(name, run):
    """What the address space of a model is made of; None without the figures for it."""
    virtual, resident, tables, stacks = (kind.of(run) for kind in (
        measure.VIRTUAL, measure.RESIDENT, measure.PAGE_TABLES, measure.KERNEL_STACKS))
    if not virtual or not resident or not virtual.median:
        return None
    share = figure.digits(100 * resident.median / virtual.median) + figure.SPACE + "%"
    said = f"{name}{threads(run)}: of {write(virtual)} of address space, {write(resident)} are resident ({share})"
    if tables and stacks:
        said += f"; beside it, {write(tables)} of page tables and {write(stacks)} of kernel stacks"
    return said + "."


def threads(run):
    found = measure.THREADS.of(run)
    return f" ({figure.count(found.median)} thread{'' if found.median == 1 else 's'})" if found else ""


def write(found):
    return figure.write(found.median, "bytes")
