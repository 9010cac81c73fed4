"""What must not run in the workbench's process: `python -P -m engine.jobs.NAME`, started by `engine.job_process`.

JSON progress on stdout, results by rename.
"""
