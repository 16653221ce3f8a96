"""Native nets, seeded."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def images():
    """A bright square on black, at a random place: 250 images, so that batches of 100 leave 50."""
    generator = torch.Generator().manual_seed(0)
    images = torch.zeros(250, 1, 28, 28)
    for image, (row, column) in zip(
        images, torch.randint(0, 18, (250, 2), generator=generator).tolist(), strict=True
    ):
        image[:, row : row + 10, column : column + 10] = 0.9
    return images


@pytest.fixture
def labels(images):
    """Whether the square is in the upper half: 0 or 1."""
    return (images[:, :, :14].sum(dim=(1, 2, 3)) > images.sum(dim=(1, 2, 3)) / 2).long()
