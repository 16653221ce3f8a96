"""Documents with nothing but their markers, for a checkout of a test's own."""

from pathlib import Path

from keras_fmnist.reporting.documents import DOCUMENTS


def write_empty_documents(root: Path) -> list[Path]:
    """Writes every document with its markers and nothing between them; returns the paths."""
    paths = []
    for name, sections in DOCUMENTS.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"<!-- {mark} -->\n<!-- /{mark} -->\n" for mark in sections))
        paths.append(path)
    return paths
