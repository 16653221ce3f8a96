"""What a file is that somebody takes for weights, told from its bytes; nothing is unpacked."""

import io
import zipfile

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
AGAIN = "load it where it was made, and write torch.save(model.state_dict(), 'weights.pt')"
_BEGINNINGS = {
    LFS_POINTER: "is a Git LFS pointer, not the file it points to: git lfs pull fetches that",
    b"\x89HDF\r\n\x1a\n": "is an HDF5 file, which is never read: save a state_dict or safetensors",
    b"\x1f\x8b": "is packed with gzip: unpack it first",
    b"\x93NUMPY": "is a NumPy array: save a state_dict or safetensors",
}
_TORCHSCRIPT = f"is a TorchScript program, which would be run: {AGAIN}"


def describe_mistake(content: bytes) -> str | None:
    """What a file is, if it is a well-known kind that holds no weights to be read, in words.

    The words go on from the file's name and say what to do instead.

    Args:
        content: all bytes of the file.

    Returns:
        None where it may be PyTorch's or a safetensors file, or is of no kind that is known.
    """
    if not content:
        return "is empty"
    for beginning, words in _BEGINNINGS.items():
        if content.startswith(beginning):
            return words
    if content[:512].lstrip()[:1] == b"<":
        return "is a web page, not a file of weights: fetch the file itself"
    return _describe_archive(content) if content.startswith(b"PK\x03\x04") else None


def is_safetensors(content: bytes) -> bool:
    """Whether a file begins as safetensors do: the header's length, then the header, a JSON."""
    return content[8:9] == b"{" and int.from_bytes(content[:8], "little") < len(content)


def _describe_archive(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return None  # PyTorch's reader says so
    parts = [name.split("/") for name in names]
    if any(part[-1] == "constants.pkl" or "code" in part[1:-1] for part in parts):
        return _TORCHSCRIPT
    if "config.json" in names and "model.weights.h5" in names:
        return "is a .keras file, which is never read: save a state_dict or safetensors"
    if names and all(name.endswith(".npy") for name in names):
        return "is an .npz file, which is never read: save a state_dict or safetensors"
    return None
