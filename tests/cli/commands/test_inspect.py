"""inspect: a table of layers, with the weights of a run or fresh ones, and what to be warned of."""

import re
import shutil

from keras_fmnist.cli.commands.inspect import format_layers
from keras_fmnist.models import inspection, weights
from keras_fmnist.records.record import read_record
from tests.helpers.folders import list_folder


def test_inspect_takes_fresh_weights_where_there_is_no_run(run_command, tmp_path):
    status, out, err = run_command("inspect", "manolucos/baseline", "--seed", "3")
    assert (status, err) == (0, "")
    first, *lines = out.splitlines()
    assert first == (
        "manolucos/baseline: the fresh weights of seed 3, because results holds no trained ones"
    )
    table = {line.split()[0]: line for line in lines if line[:2].islower()}
    assert re.search(r" 12816 +120 of 169 ", table["decoder.deconv1"])
    (losses,) = (line for line in lines if line.startswith("mean_image_loss"))
    assert losses.endswith(", pca_loss 0")  # a code of 784 numbers, and nothing has been trained
    warnings = [line for line in lines if line.startswith("warning: ")]
    assert warnings == lines[-len(warnings) :]
    assert len(warnings) == 5
    assert list_folder(tmp_path) == {}


def test_inspect_takes_settings_and_weights_of_the_run_there_is(
    run_command, quick_runs, tmp_path, dataset, reference
):
    shutil.copytree(quick_runs / "narrow", "results")
    before = list_folder(tmp_path)
    (path,) = (tmp_path / "results/mansilla/base").glob("*.json")
    record = read_record(path)
    status, out, err = run_command("inspect", "mansilla/base")
    assert (status, err) == (0, "")
    first, *lines = out.splitlines()
    weights_path = path.with_suffix(".safetensors").relative_to(tmp_path)
    assert (
        first == f"mansilla/base; epochs 1, not 15; latent 8, not 64: the weights of {weights_path}"
    )
    arrays = weights.load(weights_path, record.weights_sha256["final"])
    codes = reference.encode(arrays, dataset.test_images / 255)
    dead = (codes == 0).all(axis=0).sum()
    assert f"dead latents: {dead} of 8" in lines
    losses = {name: record.metrics[name] for name in ("mean_image_loss", "pca_loss", "val_loss")}
    assert ", ".join(f"{name} {loss:.4g}" for name, loss in losses.items()) in lines
    assert any("no better than PCA of the same size" in line for line in lines)
    status, out, err = run_command("inspect", "mansilla/base", "--seed", "1")
    assert out.startswith("mansilla/base: the fresh weights of seed 1, because results holds no")
    assert list_folder(tmp_path) == before


def test_inspect_counts_the_dead_logits_that_a_classifiers_record_has(
    run_command, quick_runs, tmp_path
):
    shutil.copytree(quick_runs / "classifier", "results")
    (path,) = (tmp_path / "results/mansilla/classifier_frozen").glob("*.json")
    status, out, err = run_command("inspect", "mansilla/classifier_frozen")
    assert (status, err) == (0, "")
    dead = read_record(path).metrics["dead_logits"]
    assert f"dead logits: {dead} of 10" in out.splitlines()
    assert "pca_loss" not in out
    assert "decoder" not in out


def test_inspect_refuses_damaged_weights_and_does_without_missing_ones(
    run_command, quick_runs, tmp_path
):
    shutil.copytree(quick_runs / "base", "results")
    (path,) = tmp_path.rglob("*.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[:-4] + bytes([content[-4] ^ 1]) + content[-3:])
    status, out, err = run_command("inspect", "mansilla/base")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert path.name in err
    path.unlink()
    status, out, err = run_command("inspect", "mansilla/base")
    assert (status, err) == (0, "")
    assert "the fresh weights of seed 0" in out.splitlines()[0]


def test_the_table_has_a_line_a_layer_and_the_sum_of_the_parameters():
    rows = [
        inspection.Row("encoder.conv1", (16, 26, 26), 160, 0, 676, 1.0),
        inspection.Row("pool", (16, 13, 13), 0, None, None, 1.216),
        inspection.Row("deconv", (1, 28, 28), 145, 55, 784, 0.5),
    ]
    assert format_layers(rows).splitlines() == [
        "layer          output      parameters    bias alone    training / evaluation",
        "encoder.conv1  16×26×26           160      0 of 676                     1.00",
        "pool           16×13×13                                                 1.22",
        "deconv         1×28×28            145     55 of 784                     0.50",
        "                                  305",
    ]
