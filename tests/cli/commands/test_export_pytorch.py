"""`export --format pytorch`: a state_dict, and the source of its net beside it."""

from pathlib import Path

import torch

from experiments.mansilla import BASE
from keras_fmnist.models.torch_weights import to_native
from keras_fmnist.models.weights import load
from keras_fmnist.records.run import find_files
from tests.helpers.processes import run_python


def test_a_pytorch_user_gets_the_trained_weights_and_the_net_they_belong_to(run_command, studied):
    words = ("export", BASE.id, "--format", "pytorch", "--out", str(studied))
    status, out, err = run_command(*words)
    assert (status, err) == (0, "")
    source, weights = out.splitlines()
    assert source == "base.py: the net in plain PyTorch; its load() gives it with these weights"
    assert weights == (
        "base.pt: 12 tensors of mansilla/base, seed 0; "
        "images are (n, 1, 28, 28) float32 from 0 to 1"
    )
    trained = to_native(load(find_files(studied, BASE.id, 0, "torch", "cpu").weights))
    state = torch.load("base.pt", weights_only=True)
    assert state.keys() == trained.keys()
    assert all(torch.equal(state[name], torch.from_numpy(trained[name])) for name in state)
    here = Path().absolute()
    done = run_python("-c", "import base; base.load()", cwd=here, packages=here)
    assert done.returncode == 0, done.stderr
    assert run_command(*words)[0] == 0  # its own files are replaced


def test_a_users_own_module_is_not_replaced(run_command, studied):
    Path("net.py").write_text("mine")
    status, out, err = run_command("export", BASE.id, "--target", "net.pt", "--out", str(studied))
    assert (status, out) == (2, "")
    assert "net.py is there and no net of ours: name another target" in err
    assert Path("net.py").read_text() == "mine"
    assert not Path("net.pt").exists()
