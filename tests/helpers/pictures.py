"""Files that are no pictures."""

import struct
import zlib


def png(side, pixels):
    """A PNG of side×side grey pixels, of which only some are there."""

    def chunk(name, content):
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(pixels)))


# Files that lie in the working folder and are no pictures.
PICTURES = {
    "text.png": b"mine",
    "empty.png": b"",
    "half.png": png(28, 300),
    "huge.png": png(50_000, 99),
    "phone.png": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>',
}
