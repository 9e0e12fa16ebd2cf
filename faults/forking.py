"""Forking: processes that begin at once, from one that has loaded what they need and does nothing else."""

import multiprocessing

#: Makes such processes.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["faults.kill_sqlite", "faults.power_cut"])
