"""Masks that say what stood there, the same for the same value in every row: `<email-3f2a>`."""

from __future__ import annotations

from hashlib import blake2b


def mask(kind: str, value: str) -> str:
    """A stand-in for `value`. Two bytes of a digest tell two values apart and give neither of them away."""
    return f"<{kind}-{blake2b(value.encode('utf-8', 'replace'), digest_size=2).hexdigest()}>"
