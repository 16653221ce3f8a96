"""The garment is found, and not the frame, the bars or the corners around it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from keras_fmnist.inference import photos
from keras_fmnist.inference.backgrounds import fill_corners, take_frames_off


def photo(ground=235, cloth=40):
    """A sleeve and a body on a ground that is lit from one side, with the noise of a camera."""
    pixels = np.full((250, 200), float(ground))
    pixels[40:200, 70:130] = cloth
    pixels[60:90, 40:160] = cloth
    pixels *= np.linspace(0.9, 1, 200)
    noise = np.random.default_rng(0).normal(0, 2, pixels.shape)
    return np.uint8(np.clip(pixels + noise, 0, 255))


def pad(top, sides, value):
    return lambda pixels: np.pad(pixels, ((top, top), (sides, sides)), constant_values=value)


FRAMES = {
    "a line": pad(1, 1, 0),
    "a white line": pad(1, 1, 255),
    "a broad frame": pad(20, 20, 0),
    "letterbox bars": pad(60, 0, 0),
    "white letterbox bars": pad(60, 0, 255),
    "pillarbox bars": pad(0, 80, 0),
    "one bar": lambda pixels: np.pad(pixels, ((0, 50), (0, 0))),
    "a frame between bars": lambda pixels: pad(60, 0, 0)(pad(3, 3, 128)(pixels)),
}


@pytest.fixture
def read(tmp_path):
    def through(image, ending="png", **options):
        image.save(tmp_path / f"photo.{ending}", **options)
        return photos.read(tmp_path / f"photo.{ending}")

    return through


@pytest.mark.parametrize("is_jpeg", [False, True])
@pytest.mark.parametrize("colours", [(235, 40), (20, 220)])
@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_is_taken_off_and_that_is_said(read, frame, colours, is_jpeg):
    pixels = photo(*colours)
    framed = Image.fromarray(FRAMES[frame](pixels))
    found = read(framed, "jpg", quality=80) if is_jpeg else read(framed)
    expected = read(Image.fromarray(pixels))
    apart = np.abs(found.pixels.astype(int) - expected.pixels)
    assert apart.mean() < (3 if is_jpeg else 0.01)
    assert any(step.startswith("frame taken off, which leaves ") for step in found.steps)
    assert not any(step.startswith("frame") for step in expected.steps)


def test_how_much_is_left_is_said(read):
    assert (
        "frame taken off, which leaves 56%"
        in read(Image.fromarray(FRAMES["pillarbox bars"](photo()))).steps
    )


@pytest.mark.parametrize("margin", [0.02, 0.2])
def test_no_garment_of_the_data_set_is_taken_for_a_frame(dataset, margin):
    for image in dataset.test_images[:50, ..., 0]:
        large = np.asarray(Image.fromarray(image).resize((200, 200)), float) / 255
        alpha = np.pad(large, int(200 * margin))
        for ground, cloth in ((235, 40), (20, 220)):
            pixels = np.uint8(ground + (cloth - ground) * alpha)
            assert take_frames_off(pixels).shape == pixels.shape
            cut_out = np.stack([pixels] * 3 + [np.uint8(255 * alpha)], axis=-1)
            assert fill_corners(cut_out, pixels) is None


def rounded(pixels, share):
    mask = Image.new("L", pixels.shape[::-1])
    corner = (pixels.shape[1] - 1, pixels.shape[0] - 1)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, *corner), share * min(pixels.shape), fill=255)
    return Image.merge("RGBA", [Image.fromarray(pixels)] * 3 + [mask])


@pytest.mark.parametrize("colours", [(235, 40), (20, 220)])
@pytest.mark.parametrize("share", [0.05, 0.15, 0.2])
def test_transparent_corners_are_filled_as_the_edge_is(read, colours, share):
    pixels = photo(*colours)
    found = read(rounded(pixels, share))
    expected = read(Image.fromarray(pixels))
    assert np.abs(found.pixels.astype(int) - expected.pixels).mean() < 3
    assert "transparent edges filled" in found.steps


def test_transparent_bars_are_cut_off(read):
    pixels = np.pad(photo(), ((0, 0), (50, 50)))
    alpha = np.pad(np.full((250, 200), 255, np.uint8), ((0, 0), (50, 50)))
    bars = Image.merge("RGBA", [Image.fromarray(pixels)] * 3 + [Image.fromarray(alpha)])
    found = read(bars)
    np.testing.assert_array_equal(found.pixels, read(Image.fromarray(photo())).pixels)
    assert found.original.shape == (250, 200, 3)


def test_half_dark_and_half_light_is_no_frame():
    pixels = np.zeros((40, 40), np.uint8)
    pixels[:, 20:] = 255
    assert take_frames_off(pixels) is pixels


@pytest.mark.parametrize("size", [(10, 10), (60, 80), (1, 200), (3, 3)])
def test_a_plain_thing_with_soft_edges_is_no_picture_in_a_frame(size):
    thing = Image.new("L", (200, 250), 255)
    thing.paste(0, (60, 60, 60 + size[0], 60 + size[1]))
    for soft in (thing, thing.resize((149, 187)), thing.resize((67, 83))):
        assert take_frames_off(np.asarray(soft)).shape == np.asarray(soft).shape
