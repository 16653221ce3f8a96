"""Images on the page: those of the records."""

import base64
import io

import numpy as np
from PIL import Image

from experiments.__main__ import CATALOGUE
from experiments.mansilla import BASE, UNTRAINED
from keras_fmnist.records.groups import select_groups
from keras_fmnist.records.images import pack_images, unpack_images
from keras_fmnist.reporting.page import images, results


def test_a_picture_is_the_records_image_dark_on_light(make_record):
    packed = make_record(BASE).images["originals"]
    wanted = 255 - unpack_images(packed)

    def decode(uri):
        prefix = "data:image/png;base64,"
        assert uri.startswith(prefix)
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.removeprefix(prefix)))))

    assert all(map(np.array_equal, map(decode, images.split_images(packed)), wanted))
    strip = decode(images.join_images(packed))
    assert strip.shape == (28, 300)
    assert np.array_equal(strip[:, 31:59], wanted[1])


def test_the_autoencoder_whose_pictures_are_nearest_is_shown_first(make_record):
    near = make_record(BASE)
    far = make_record(UNTRAINED)
    far.images["reconstructions"] = pack_images(np.ones((10, 28, 28, 1)))
    for order in ([far, near], [near, far]):
        assert results.list_pictures(CATALOGUE, select_groups(order))["first"] == BASE.id
