"""How many clients a process can have, or be: so many as the limit of open files allows."""

import resource

OTHERS = 500                                     # files that are no client's
TOO_FEW = "the limit of open files is too low"


def raise_limit():
    """As far as we may, for all that is started from now on."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def clients(each=1):
    """Of so many files each."""
    return (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - OTHERS) // each
