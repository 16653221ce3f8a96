"""What a folder holds."""

from pathlib import Path


def list_folder(folder: Path) -> dict[Path, bytes | None]:
    """Every file below a folder with its content, and every folder with None."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def read_files(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder, as a path from there, with its content."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
