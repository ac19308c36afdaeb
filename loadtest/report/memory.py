"""Memory by kind, kept apart, and what each kind is in this run's own figures."""

from . import figure, measure, panel, words

KINDS = [measure.RESIDENT, measure.PROPORTIONAL, measure.PAGE_TABLES, measure.KERNEL_STACKS]


def group(results, scenario):
    held = panel.by_connections(results, scenario, KINDS)
    virtual = panel.by_connections(results, scenario, [measure.VIRTUAL])
    return panel.group("Memory by kind", [*held, *virtual, told(results, scenario)],
                       "Memory was not measured in this scenario.")


def told(results, scenario):
    connections = results.headline(scenario, "threads") or results.headline(scenario)
    said = []
    for model in results.models.values():
        found = results.run(scenario, model.id, connections)
        if model.id in ("async", "threads"):
            said += address_space(model, found), beyond(model, found)
    said += words.contrasts([measure.HELD], results.run(scenario, "async", connections),
                            results.run(scenario, "threads", connections))
    if not any(said):
        return None
    return panel.notes(said, f"At {figure.connections(connections)}. Virtual memory is address space that was asked "
                             "for, mostly never touched; it has a scale of its own. Memory held is the proportional "
                             "memory, the page tables and the kernel stacks together.")


def address_space(model, run):
    virtual, resident, threads = (kind.of(run) for kind in (measure.VIRTUAL, measure.RESIDENT, measure.THREADS))
    if not virtual or not resident or not virtual.median:
        return None
    many = f" of {figure.count(threads.median)} thread{'' if threads.median == 1 else 's'}" if threads else ""
    return (f"{model.short}: the address space{many} is {write(virtual)}, of which {write(resident)}, "
            f"{figure.digits(100 * resident.median / virtual.median)}{figure.SPACE}%, are resident.")


def beyond(model, run):
    """What neither resident nor proportional memory counts."""
    tables, stacks = measure.PAGE_TABLES.of(run), measure.KERNEL_STACKS.of(run)
    if not tables or not stacks:
        return None
    return (f"{model.short}: the kernel adds {write(tables)} of page tables and {write(stacks)} of stacks "
            "that no count of resident memory has.")


def write(found):
    return figure.write(found.median, "bytes")
