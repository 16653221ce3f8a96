"""TODO."""

from keras_fmnist.cli.arguments import check_flag


def prepare_data(force: bool = False) -> None:
    """Prepares the data where they are not, and prints what they are."""
    from keras_fmnist import data

    data.prepare(force=check_flag("force", force))
    for name, value in data.describe().items():
        print(f"{name:7} {value}")
