"""The trainer: the only place that imports torch, transformers, peft and trl.

A frozen copy of this folder goes into every run and is started by file path (`main.py`), so that it also runs
under an interpreter where tamis is not installed. It therefore imports nothing of `engine` outside itself.
"""
