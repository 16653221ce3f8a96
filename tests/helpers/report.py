"""What `report` says and leaves."""

from experiments.__main__ import CATALOGUE
from keras_fmnist.cli.commands.report import write_report

LOSSES = {"train_eval_loss": 0.24, "val_loss": 0.25}


def check(out, capsys):
    """What `report --check` names, and its last word."""
    capsys.readouterr()
    try:
        write_report(CATALOGUE, out=str(out), check=True)
    except RuntimeError as error:
        return capsys.readouterr().out.splitlines(), str(error)
    return [], capsys.readouterr().out.strip()
