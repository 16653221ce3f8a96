"""Latent spaces on the page: maps and lines of the weights that are there."""

import dataclasses

import pytest

from experiments.mansilla import BASE
from keras_fmnist.data import CLASS_NAMES
from keras_fmnist.records.json_files import write_dataclass
from keras_fmnist.records.run import locate_latent_space
from keras_fmnist.reporting.page import images, latent
from tests.helpers import made_up_study
from tests.reporting.page.test_charts import filled


@pytest.mark.parametrize("axes", ["pca", "tsne"])
def test_a_map_has_every_image_in_its_place_under_the_name_of_its_class(axes):
    space = made_up_study.latent_space()
    points = getattr(space, axes)
    (figure,) = filled(latent.plot_codes(space, points))["doc"]["roots"]
    found = {}
    for renderer in figure["attributes"]["renderers"]:
        columns = dict(renderer["attributes"]["data_source"]["attributes"]["data"]["entries"])
        for row, *place in zip(columns["row"], columns["x"], columns["y"], strict=True):
            found[row] = (renderer["attributes"]["name"], *place)
    names = [CLASS_NAMES[label] for label in space.labels]
    assert len(found) == len(names) == 40
    assert found == dict(enumerate(zip(names, points["x"], points["y"], strict=True)))


def test_the_lines_of_a_latent_space_stand_there_with_its_maps(study, html):
    space = made_up_study.latent_space()
    for line in space.lines:
        assert html.count(images.join_images(line["images"])) == 2  # of both autoencoders
    assert 'alt="From a Trouser to a Pullover by mansilla/base"' in html
    assert "The axes of PCA hold 25% and 10% of the variance" in html


def test_a_latent_space_of_other_weights_is_not_shown(study, tmp_path, make_record):
    groups = {BASE.id: [make_record(BASE)]}
    space = dataclasses.replace(made_up_study.latent_space(), weights_sha256="d" * 64)
    write_dataclass(locate_latent_space(tmp_path, BASE.id), space)
    assert [one["id"] for one in latent.describe_spaces(study, groups)] == [BASE.id]
    assert latent.describe_spaces(tmp_path, groups) == []
