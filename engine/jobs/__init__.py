"""What must not run in the workbench's process: `python -P -m engine.jobs.NAME`.

JSON progress on stdout, results by rename.
"""
