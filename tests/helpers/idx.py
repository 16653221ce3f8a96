"""Small files of the make of the four."""

import struct
import zlib

from keras_fmnist.data import sources

NAMES = [file.name for file in sources.FILES]


IMAGES, LABELS = "train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def idx(array):
    array = array.reshape(array.shape[:3])
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def packed(file, content):
    """As upstream has packed its files: with name and time stamp in the gzip header."""
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    body = deflate.compress(content) + deflate.flush()
    return file.header + body + struct.pack("<II", zlib.crc32(content), len(content))


def put(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def silent(_):
    pass


def flip(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
