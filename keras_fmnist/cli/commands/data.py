"""`keras-fmnist data`: prepares Fashion-MNIST."""

from typing import Annotated

from keras_fmnist.cli.arguments import check_flag
from keras_fmnist.cli.output import format_table


def prepare_data(
    *, force: Annotated[bool, "prepare it again although it is in order"] = False
) -> None:
    """Prepares and verifies Fashion-MNIST, and prints what it holds."""
    from keras_fmnist import data

    data.prepare(force=check_flag("force", force))
    print(format_table(list(data.describe().items())))
