"""The two databases, both made and seeded by tenk itself: a file, and a private PostgreSQL cluster."""

import contextlib
import glob
import os
import pwd
import shutil
import sqlite3
import subprocess
import time

from .processes import Failure, free_port, serving, stop

# Views that take 50 ms each, in a schema to put in front of the real one. The nap is materialized, so that
# it is taken once, however many rows there are.
SLOW = """
create schema slow;
create view slow.users as
    with nap as materialized (select pg_sleep(0.05)) select u.* from public.users u, nap;
create view slow.posts as
    with nap as materialized (select pg_sleep(0.05)) select p.* from public.posts p, nap;
"""

# What a floor updates, to be put in front likewise: it has all updates of a turn in one transaction, and nobody else's may be
# waited for by that while they wait for it.
APART = """
create schema apart;
create table apart.world (like public.world including all);
insert into apart.world select * from public.world;
"""


def run(command, what, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=300,
                          stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    if done.returncode:
        raise Failure(f"{what} failed: {done.stdout.strip()}")


def sqlite(tenk, cpu, folder):
    """The URL of a new file: tenk creates and seeds it when it first starts."""
    url = f"sqlite:{folder}/users.db"
    with serving("tenk-seeding", cpu, lambda port: [*tenk, "-l", f"127.0.0.1:{port}", "-D", url], folder):
        return url


def count_of(url, query):
    """What a query for one number says, while nobody else uses the database."""
    if url.startswith("sqlite:"):
        with contextlib.closing(sqlite3.connect(url[len("sqlite:"):])) as database:
            return database.execute(query).fetchone()[0]
    said = subprocess.run(["psql", "-tAc", query, url], stdout=subprocess.PIPE, check=True, text=True, timeout=60)
    return int(said.stdout)


def postgres_programs():
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    found.sort(key=lambda path: int(path.split("/")[4].split(".")[0]))
    initdb = found[-1] if found else shutil.which("initdb")
    if not initdb:
        raise Failure("PostgreSQL's server is not installed (initdb is missing)")
    return os.path.dirname(os.path.realpath(initdb))


def somebody_else():
    """PostgreSQL refuses to run as root: who shall run it, and how."""
    if os.getuid() != 0:
        return None, ["setpriv"]
    names = {user.pw_name: user for user in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return user, ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@contextlib.contextmanager
def postgres(tenk, cpu, folder, connections=100):
    """Runs a cluster that only its socket in folder leads to, and yields its URL."""
    programs = postgres_programs()
    user, become = somebody_else()
    home = os.path.join(folder, "postgres")
    os.mkdir(home, 0o700)
    if user:
        os.chown(home, user.pw_uid, user.pw_gid)
        os.chmod(folder, 0o711)
    run([*become, f"{programs}/initdb", "-D", f"{home}/data", "-U", "tenk", "-A", "trust", "-E", "UTF8",
         "--locale=C.UTF-8", "--no-sync"], "initdb", cwd="/")

    port = free_port()
    url = f"postgresql:///postgres?host={home}&port={port}&user=tenk"
    settings = {"listen_addresses": "", "unix_socket_directories": home, "port": port, "jit": "off",
                "shared_buffers": "256MB", "autovacuum": "off", "max_connections": connections}
    with open(os.path.join(folder, "postgres.log"), "wb") as log:
        process = subprocess.Popen(
            [*become, "--pdeathsig", "INT", "taskset", "-c", str(cpu), f"{programs}/postgres",
             "-D", f"{home}/data", *(f"--{name}={value}" for name, value in settings.items())],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
    try:
        wait_until_up(process, programs, home, port)
        run([*tenk, "-D", url, "--init-db"], "tenk --init-db")
        psql = [f"{programs}/psql", url, "-qX", "-v", "ON_ERROR_STOP=1"]
        run([*psql, "-c", APART, "-c", "vacuum analyze", "-c", SLOW], "psql")
        yield url
    finally:
        # SIGINT: it ends its sessions and then itself. SIGTERM would wait for them to leave.
        if process.poll() is None:
            process.send_signal(2)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        stop(process)


def copy_of(url, name):
    """The URL of a database of that name in the same cluster, with all that this one has, to which nobody is connected."""
    from_one, rest = url.removeprefix("postgresql:///").split("?", 1)
    psql = [f"{postgres_programs()}/psql", f"postgresql:///template1?{rest}", "-qX", "-v", "ON_ERROR_STOP=1"]
    run([*psql, "-c", f"drop database if exists {name}", "-c", f"create database {name} template {from_one}"], "psql")
    return f"postgresql:///{name}?{rest}"


def wait_until_up(process, programs, home, port):
    for _ in range(300):
        if process.poll() is not None:
            break
        if subprocess.run([f"{programs}/pg_isready", "-q", "-h", home, "-p", str(port)],
                          timeout=10).returncode == 0:
            return
        time.sleep(0.1)
    raise Failure("PostgreSQL did not start")


class Reached:
    """A cluster, by its URL, by its socket and by its process."""

    def __init__(self, url, folder):
        self.url = url
        with open(f"{folder}/postgres/data/postmaster.pid") as f:
            self.pid = int(f.readline())
        self.socket = glob.glob(f"{folder}/postgres/.s.PGSQL.*[0-9]")[0]
