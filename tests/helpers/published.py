"""Records of the published study."""

from keras_fmnist.records.groups import find_seed
from keras_fmnist.records.record import read_records


def read_seed_0(study, experiment_id):
    """The record of seed 0 that the page shows for an experiment."""
    return find_seed([r for r in read_records(study) if r.id == experiment_id], 0)
