"""The version of tamis, which every manifest names. Asked for late: the metadata of packages takes long to read."""

from __future__ import annotations


def tamis_version() -> str:
    """The installed version, or 'checkout' where tamis runs without being installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tamis")
    except PackageNotFoundError:
        return "checkout"
