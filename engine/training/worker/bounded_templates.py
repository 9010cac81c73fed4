"""Chat templates are programs that came with a model: each row's text has a bound in time, memory and length.

transformers runs them in jinja's sandbox, which keeps them from files and from Python, not from a loop without an end.
"""

from __future__ import annotations

import resource
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2 import Environment, Template
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_SECONDS = 3.0
"""Processor time for the text of one row; a row of a megabyte takes some milliseconds."""
MOST_MEMORY = 1 << 30
SHORT = 1_000_000
MOST_TIMES = 16
"""What is longer than SHORT may be so many times as long as what the template was given."""


class Unbounded(RuntimeError):
    """The template did not end, or wrote too much. Of no row more than of another: the model cannot be used."""


class BoundedTemplate(Template):
    """A template whose rendering ends."""

    def render(self, *given: Any, **named: Any) -> str:
        with _bounds():
            text = super().render(*given, **named)
        if len(text) > SHORT and len(text) > MOST_TIMES * len(repr((given, named))):
            raise Unbounded(f"its chat template writes {len(text):,} characters for one row")
        return text


def bounded_from_string(environment: Environment, *given: Any, **named: Any) -> Template:
    """`Environment.from_string`; compiling works out what is constant, so it is bounded as well."""
    with _bounds():
        return Environment.from_string(environment, *given, **named)


def bound_templates() -> None:
    """From now on every template of this process that is run in the sandbox is bounded."""
    ImmutableSandboxedEnvironment.template_class = BoundedTemplate
    ImmutableSandboxedEnvironment.from_string = bounded_from_string  # type: ignore[method-assign,assignment]


@contextmanager
def _bounds() -> Iterator[None]:
    """Time and memory for the block. A signal reaches the main thread only, which is where rows are written."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _too_long)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _in_use() + MOST_MEMORY
    if soft != resource.RLIM_INFINITY:
        limit = min(limit, soft)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
        yield
    except MemoryError as fault:
        raise Unbounded(f"its chat template wants more than {MOST_MEMORY >> 20:,} MB for one row") from fault
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGVTALRM, before)


def _in_use() -> int:
    """Bytes of address space of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _too_long(_number: int, _frame: object) -> None:
    raise Unbounded(f"its chat template does not end: one row took more than {MOST_SECONDS:g} s")
