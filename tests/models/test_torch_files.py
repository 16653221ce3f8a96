"""What a PyTorch file holds, and where in it the tensors were found."""

import pytest
import torch

from keras_fmnist.models.torch_files import MOST_SHARED, load_native
from keras_fmnist.models.weights import WeightsError


@pytest.fixture
def load(tmp_path):
    """`load(content)`: what is read of a file that holds it."""

    def save_and_load(content):
        torch.save(content, tmp_path / "w.pt")
        return load_native(tmp_path / "w.pt")

    return save_and_load


STATE = {"a.weight": torch.ones(2), "a.bias": torch.zeros(2)}


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        (STATE, ()),
        (STATE | {"epoch": 3, "optimizer": {"state": {0: torch.ones(1)}}}, ()),
        ({"model": STATE, "loss": torch.tensor(0.5)}, ("taken from 'model'",)),
        (
            {"model": {"state_dict": STATE}},
            ("taken from 'model'", "taken from 'state_dict'"),
        ),
        ({"state_dict": STATE, "model": {"b": torch.ones(1)}}, ("taken from 'state_dict'",)),
        ({"best": STATE}, ("taken from 'best'",)),
    ],
)
def test_a_state_dict_is_found_wherever_it_lies(load, content, notes):
    found = load(content)
    assert found.notes == notes
    assert found.arrays.keys() == STATE.keys()


def test_tensors_may_share_their_numbers_but_not_without_end(load):
    tensor = torch.ones(10_000)
    assert len(load({"a": tensor, "b": tensor}).arrays) == 2
    with pytest.raises(WeightsError, match="its tensors share their numbers"):
        load({f"{k}": tensor for k in range(2 * MOST_SHARED)})


def test_a_net_and_its_copy_are_not_two_parts_of_one(load):
    assert len(load({"encoder": STATE, "decoder": {"a.weight": torch.ones(3)}}).arrays) == 3
    with pytest.raises(WeightsError, match="several nets, params and params_ema: save one of them"):
        load({"params": STATE, "params_ema": dict(STATE)})


def test_a_precision_that_numpy_lacks_is_named(load):
    found = load({"a": torch.ones(2, dtype=torch.float8_e4m3fn)})
    assert found.notes == ("float8_e4m3fn made float32",)
    assert found.arrays["a"].tolist() == [1.0, 1.0]


def test_safetensors_under_another_name_are_named(tmp_path):
    from safetensors.torch import save_file

    save_file(STATE, tmp_path / "w.pt")
    with pytest.raises(WeightsError, match=r"w\.pt is a safetensors file: let its name end in"):
        load_native(tmp_path / "w.pt")
