"""When memory ran out. Standard library only."""

from __future__ import annotations

import gc
import sys

ALLOCATION_FAILURES = (
    "out of memory",
    "DefaultCPUAllocator: can't allocate memory",
    "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED",
)


def is_out_of_memory(fault: BaseException) -> bool:
    """Whether memory ran out, on the GPU or on the host."""
    if isinstance(fault, MemoryError) or type(fault).__name__ == "OutOfMemoryError":
        return True
    return isinstance(fault, RuntimeError) and any(sign in str(fault) for sign in ALLOCATION_FAILURES)


def free_what_is_unused() -> None:
    """Give back what nothing refers to any more, on the GPU as well."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
