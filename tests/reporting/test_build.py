"""The files of a study: which there are, and when one is what the records give."""

import base64
import io
import re

from PIL import Image

from experiments.mansilla import UNTRAINED
from tests.helpers.report import check


def test_a_picture_inside_an_svg_counts_by_its_pixels_and_all_else_by_its_bytes(study, capsys):
    path = study / UNTRAINED.id / "untrained_reconstructions.svg"
    whole = path.read_text()
    (packed, *_) = re.findall(r"base64,\s*([A-Za-z0-9+/=\s]+)", whole)
    picture = Image.open(io.BytesIO(base64.b64decode(packed)))

    def with_picture(level):
        buffer = io.BytesIO()
        picture.save(buffer, format="PNG", compress_level=level)
        return whole.replace(packed, base64.b64encode(buffer.getvalue()).decode() + "\n", 1)

    path.write_text(with_picture(1))
    assert path.read_text() != whole
    assert check(study, capsys)[0] == []
    picture.putpixel((5, 5), (9, 9, 9, 255))
    for wrong in (
        with_picture(1),
        whole.replace(packed, "x", 1),
        whole.replace("</svg>", " </svg>"),
    ):
        path.write_text(wrong)
        assert check(study, capsys)[0] == [f"{path} is not what the records give"]


def test_a_png_counts_by_its_pixels_and_not_by_how_tightly_they_are_packed(study, capsys):
    path = study / UNTRAINED.id / "untrained_reconstructions.png"
    picture = Image.open(path)
    picture.save(path, compress_level=1)
    assert check(study, capsys)[0] == []
    picture.putpixel((5, 5), (0, 0, 0, 255))
    picture.save(path)
    assert check(study, capsys)[0] == [f"{path} is not what the records give"]
