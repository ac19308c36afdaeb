"""tenk-gdb.py - the tasks of a running tenk, in gdb.

   gdb -p "$(pidof tenk)" -x tenk-gdb.py

   tenk-tasks                    every task of every loop: its number, name, label, age, and what it awaits
   tenk-backtrace [NUMBER ...]   the stacks of those tasks; without numbers, of all

A task that waits has left its registers on its own stack (server/async/context_*.S). To walk it, they are put
in the place of the selected thread's for a moment: that needs a live process, which gdb has stopped. Of a core
dump there are only the lists.
"""

import time

import gdb


class Layout:
    """Where context_switch leaves the registers, in words from the saved stack pointer."""

    def __init__(self, words, registers, size, pc, sp):
        self.words, self.registers, self.size, self.pc, self.sp = words, registers, size, pc, sp


LAYOUTS = {
    "i386:x86-64": Layout(7, {"r15": 0, "r14": 1, "r13": 2, "r12": 3, "rbx": 4, "rbp": 5}, 56, ("rip", 6), "rsp"),
    "aarch64": Layout(20, dict([(f"x{19 + i}", i) for i in range(10)], x29=10, x30=11), 160, ("pc", 11), "sp"),
}


def layout():
    name = gdb.selected_frame().architecture().name()
    if name not in LAYOUTS or gdb.lookup_global_symbol("context_start") is None and not has_symbol("context_start"):
        raise gdb.GdbError(f"the stacks of {name} are not known here")
    return LAYOUTS[name]


def has_symbol(name):
    try:
        gdb.parse_and_eval(f"(void *)&{name}")
        return True
    except gdb.error:
        return False


def each(first, kind):
    """The structs of that type in a list of server/base/list.h, by their field node."""
    pointer = gdb.lookup_type(kind).pointer()
    offset = next(f.bitpos // 8 for f in pointer.target().fields() if f.name == "node")
    while first:
        yield gdb.Value(int(first) - offset).cast(pointer)
        first = first["next"]


def text(pointer):
    return pointer.string() if pointer else "?"


def place(address):
    """file:line of the call that returns there."""
    at = int(address) - 1
    line = gdb.find_pc_line(at)
    return f"{line.symtab.filename}:{line.line}" if line.symtab else hex(at)


def tasks():
    """(loop, task) of all, in the order of the loops."""
    watchdog = gdb.parse_and_eval("'server/diagnose/watchdog.c'::watchdog")
    for loop in sorted(each(watchdog["loops"]["first"], "watched"), key=lambda w: int(w["detector"]["number"])):
        for t in each(loop["tasks"]["first"], "struct task"):
            yield int(loop["detector"]["number"]), t


def thread_on(task):
    """The thread that runs it now, or None."""
    low = int(task["fiber"]["stack"]["base"])
    high = low + int(task["fiber"]["stack"]["size"])
    before = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            if low <= int(gdb.newest_frame().read_register(layout().sp)) < high:
                return thread
    finally:
        before.switch()
    return None


def wait_of(task):
    if thread_on(task):
        return "runs"
    if not task["place"]:
        return "has not begun"
    if not task["awaiting"]:
        return f"yields at {place(task['place'])}"
    promise = task["awaiting"].cast(gdb.lookup_type("struct promise").pointer())
    return f"awaits {text(promise['maker'])}(), called at {place(promise['place'])}"


def title(number, loop, task):
    scope = task["scope"]
    label = gdb.parse_and_eval("'server/async/label.c'::labels")[int(scope["label"])]["name"]
    age = (int(time.monotonic() * 1000) - int(scope["since"])) % 2**32   # of both there are only the low bits
    return f"{number}  loop {loop}: {text(scope['name'])}, {age} ms old ({text(label)}), {wait_of(task)}"


def walk(task):
    how = layout()
    context = int(task["fiber"]["here"])
    words = gdb.selected_inferior().read_memory(context, how.words * 8)
    value = [int.from_bytes(words[i * 8:i * 8 + 8].tobytes(), "little") for i in range(how.words)]
    registers = {name: value[i] for name, i in how.registers.items()}
    registers[how.sp] = context + how.size
    registers[how.pc[0]] = value[how.pc[1]]
    frame = gdb.newest_frame()
    frame.select()
    before = {name: int(frame.read_register(name)) & (1 << 64) - 1 for name in registers}
    try:
        for name, number in registers.items():
            gdb.execute(f"set var ${name} = {number}")
        gdb.execute("backtrace")
    finally:
        for name, number in before.items():
            gdb.execute(f"set var ${name} = {number}")


class Tasks(gdb.Command):
    """Lists the tasks of all loops: what they are, how old, and what they wait for."""

    def __init__(self):
        super().__init__("tenk-tasks", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        for number, (loop, task) in enumerate(tasks(), 1):
            print(title(number, loop, task))


class Backtrace(gdb.Command):
    """Shows the stacks of tasks: tenk-backtrace [NUMBER ...], by the numbers of tenk-tasks."""

    def __init__(self):
        super().__init__("tenk-backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        wanted = {int(word) for word in argument.split()}
        for number, (loop, task) in enumerate(tasks(), 1):
            if wanted and number not in wanted:
                continue
            print(title(number, loop, task))
            thread = thread_on(task)
            if thread:
                before = gdb.selected_thread()
                thread.switch()
                gdb.execute("backtrace")
                before.switch()
            else:
                walk(task)


Tasks()
Backtrace()
