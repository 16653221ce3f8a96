"""Three readings of the baseline of manolucos, and losses to rank them by."""

from experiments import assumptions as declared
from experiments import manolucos

ROW = manolucos.BASELINE


FIRST, SECOND, THIRD = declared.QUESTIONS[ROW][:3]


def losses(as_it_ran, evaluated, validation):
    return {"loss": as_it_ran, "train_eval_loss": evaluated, "val_loss": validation}
