"""Where in a report something stands."""

import pytest

from keras_fmnist.claims.places import at


@pytest.mark.parametrize(
    ("place", "english", "spanish", "labels"),
    [
        (at("IV", figures="3"), "section IV, figure 3", "sección IV, figura 3", {"figure 3"}),
        (
            at("4.2", figures="8", tables="5"),
            "section 4.2, figure 8, table 5",
            "sección 4.2, figura 8, tabla 5",
            {"figure 8", "table 5"},
        ),
        (at("4.2 5"), "sections 4.2 and 5", "secciones 4.2 y 5", set()),
        (at(tables="4 5"), "tables 4 and 5", "tablas 4 y 5", {"table 4", "table 5"}),
        (at("V", report="mansilla"), "mansilla, section V", "mansilla, sección V", set()),
    ],
)
def test_a_place_names_sections_figures_and_tables(place, english, spanish, labels):
    assert (place.words.english, place.words.spanish) == (english, spanish)
    assert place.labels == labels
