"""``python -m driftline.jobs --data DIR``: the scheduler as a process."""

if __name__ == "__main__":
    # Imported here: a run's process looks into this module too, and need not load the scheduler.
    import sys

    from driftline.jobs.isolation import Isolation, dated
    from driftline.jobs.process import main
    from driftline.pipeline import run_monitor

    sys.exit(main(run_monitor, isolation=Isolation(dated)))
