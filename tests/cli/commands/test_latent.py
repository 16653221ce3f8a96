"""latent: every autoencoder that has weights is mapped."""

from experiments.mansilla import BASE
from keras_fmnist.inference import trained
from keras_fmnist.records.latent_space import read_latent_space


def test_latent_maps_every_autoencoder_that_has_weights(run_line, tmp_path, own_results):
    status, out, err = run_line("latent")
    assert (status, err) == (0, "")
    stem = "results/mansilla/base/base"
    assert out.split() == [f"{stem}_latent.json", f"{stem}_latent.png", f"{stem}_line.png"]
    space = read_latent_space(tmp_path / f"{stem}_latent.json")
    record = trained.find("results", BASE.id)
    assert space.weights_sha256 == record.weights_sha256["final"]
    assert {f"base_{name}.{end}" for name in ("latent", "line") for end in ("png", "svg")} <= {
        path.name for path in (tmp_path / stem).parent.iterdir()
    }
