"""Photos of test images, one for each thing that makes a photo hard to read."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from experiments.__main__ import CATALOGUE
from keras_fmnist.records.images import unpack_images
from tests.helpers.published import read_seed_0

TURNED = 6  # EXIF: the camera was held upright, its picture lies on its side


def garments(study):
    """Ten test images, one a class: `(10, 28, 28)` uint8, as a record of the study holds them."""
    base = read_seed_0(study, CATALOGUE.live.autoencoders[0].id)
    return unpack_images(base.images["originals"])


def photo(garment, size, ground, cloth, light=0.0, noise=0.0):
    """A garment on plain ground, `size` pixels tall, with light from one side and camera noise.

    Returns the grey pixels, and how much of each is cloth, both uint8.
    """
    scaled = Image.fromarray(garment).resize((size, size), Image.Resampling.BICUBIC)
    height, width = size * 8 // 5, size * 7 // 5
    alpha = np.zeros((height, width))
    alpha[size // 5 : size // 5 + size, size // 4 : size // 4 + size] = np.asarray(scaled) / 255
    pixels = ground + (cloth - ground) * alpha
    pixels *= np.linspace(1 - light, 1, width) * np.linspace(1 - light / 2, 1, height)[:, None]
    pixels += np.random.default_rng(0).normal(0, noise, pixels.shape)
    return np.uint8(pixels.clip(0, 255)), np.uint8(alpha * 255)


def without_corners(image, softness=0.0):
    """A grey photo whose corners are round and transparent, as a screen shot's are."""
    mask = Image.new("L", image.size)
    edge = (0, 0, image.width - 1, image.height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(edge, min(image.size) // 6, fill=255)
    return Image.merge("RGBA", [image] * 3 + [mask.filter(ImageFilter.GaussianBlur(softness))])


def save_all(folder, study):
    """Saves them all, and returns `{what is hard: path}`."""
    images = garments(study)
    found = {}

    def save(name, ending, image, **options):
        found[name] = folder / f"{name.replace(' ', '_')}.{ending}"
        image.save(found[name], **options)

    def grey(*given, **more):
        return Image.fromarray(photo(*given, **more)[0])

    def on_nothing(garment, level):
        alpha = Image.fromarray(photo(garment, 300, 0, 0)[1])
        return Image.merge("RGBA", [Image.new("L", alpha.size, level)] * 3 + [alpha])

    lit = {"light": 0.25, "noise": 3}
    save("dark on light", "jpg", grey(images[0], 300, 235, 30, **lit).convert("RGB"), quality=90)
    save("light on dark", "png", grey(images[1], 300, 15, 220, **lit))
    save("dark on nothing", "png", on_nothing(images[8], 40))
    save("light on nothing", "webp", on_nothing(images[2], 230), lossless=True)
    exif = Image.Exif()
    exif[0x0112] = TURNED
    turned = grey(images[3], 260, 230, 40, light=0.15, noise=2).transpose(Image.Transpose.ROTATE_90)
    save("turned", "jpg", turned.convert("RGB"), exif=exif, quality=92)
    save("turned PNG", "png", turned, exif=exif)
    save("turned WebP", "webp", turned.convert("RGB"), exif=exif, lossless=True)
    save("tiny", "png", grey(images[9], 14, 240, 20))
    save("huge", "jpg", grey(images[5], 2400, 225, 60, light=0.2).convert("RGB"), quality=85)
    save("theirs", "png", Image.fromarray(images[7]))
    save("negative", "png", Image.fromarray(255 - images[7]))
    colours = grey(images[4], 420, 230, 60, **lit)
    save("colours", "png", Image.merge("RGB", [colours, colours.point(lambda v: v // 2), colours]))
    save("GIF", "gif", grey(images[6], 120, 225, 60))
    save("a line", "png", grey(images[6], 120, 225, 60).resize((1000, 1)))
    # Frames, bars and transparent corners.
    light, dark = grey(images[1], 200, 20, 215, **lit), grey(images[8], 200, 230, 45, **lit)

    def pad(image, sides, value):
        return ImageOps.expand(image, sides, value)

    save("a line around", "jpg", pad(dark, 1, 0).convert("RGB"), quality=85)
    save("a broad frame", "png", pad(light, 20, 255))
    save("letterbox bars", "jpg", pad(dark, (0, 60), 0).convert("RGB"), quality=90)
    save("pillarbox bars", "png", pad(dark, (90, 0), 0))
    save("a frame between bars", "png", pad(pad(light, 3, 128), (0, 70), 255))
    save("rounded corners", "png", without_corners(dark))
    save("soft corners", "webp", without_corners(light, softness=1.5), lossless=True)
    bars = Image.merge(
        "RGBA", [pad(light, (50, 0), 0)] * 3 + [pad(light.point([255] * 256), (50, 0), 0)]
    )
    save("transparent bars", "png", bars)
    return found
