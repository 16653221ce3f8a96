"""What the small studies run."""

import os

from experiments import mansilla, transfer

BACKEND = os.environ["KERAS_BACKEND"]


BASE, FULL, FROZEN = mansilla.BASE, mansilla.CLASSIFIER_FULL, mansilla.CLASSIFIER_FROZEN


RANDOM = transfer.RANDOM_FULL


def names(jobs):
    return [job.run.title for job in jobs]
