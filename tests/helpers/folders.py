"""What a folder holds."""

from pathlib import Path


def list_folder(folder: Path) -> dict[Path, bytes | None]:
    """Every file below a folder with its content, and every folder with None."""
    return {path: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}
