"""What a record says of a trained model, computed anew from its weights."""

from types import SimpleNamespace

import numpy as np
import pytest

from experiments.mansilla import CLASSIFIER_FROZEN, UNTRAINED
from keras_fmnist.models import networks
from keras_fmnist.records.images import unpack_images
from keras_fmnist.training import evaluation
from tests.helpers.train import load_weights, train_spec


def scaled(images):
    return images.astype(np.float32) / 255


@pytest.mark.portable
def test_an_autoencoders_losses_are_those_of_every_example(chain, dataset, reference):
    arrays = load_weights(chain.out, chain.base)
    for name, images in (
        ("train_eval_loss", dataset.train_images),
        ("val_loss", dataset.test_images),
    ):
        errors = reference.reconstruct(arrays, scaled(images)) - scaled(images)
        assert chain.base.metrics[name] == pytest.approx((errors**2).mean(), rel=1e-5)


@pytest.mark.portable
@pytest.mark.parametrize("which", ["full", "frozen"])
def test_a_classifiers_losses_and_accuracies_are_those_of_every_example(
    chain, dataset, reference, which
):
    record = getattr(chain, which)
    arrays = load_weights(chain.out, record)
    for prefix, images, labels in (
        ("train_eval_", dataset.train_images, dataset.train_labels),
        ("val_", dataset.test_images, dataset.test_labels),
    ):
        codes = reference.encode(arrays, scaled(images))
        logits = codes @ arrays["logits/kernel"].astype(float) + arrays["logits/bias"]
        loss = reference.cross_entropy(logits, labels)
        assert record.metrics[f"{prefix}loss"] == pytest.approx(loss, rel=1e-5)
        accuracy = (logits.argmax(axis=1) == labels).mean()
        assert record.metrics[f"{prefix}accuracy"] == pytest.approx(accuracy, abs=1e-6)


@pytest.mark.portable
def test_the_confusion_matrix_counts_every_test_image_by_its_true_class(chain, dataset, reference):
    for record in (chain.full, chain.frozen):
        counts = np.array(record.confusion_matrix)
        assert counts.sum(axis=1).tolist() == np.bincount(dataset.test_labels).tolist()
        assert np.trace(counts) / counts.sum() == pytest.approx(record.metrics["val_accuracy"])
        arrays = load_weights(chain.out, record)
        codes = reference.encode(arrays, scaled(dataset.test_images))
        logits = codes @ arrays["logits/kernel"].astype(float) + arrays["logits/bias"]
        predicted = np.bincount(logits.argmax(axis=1), minlength=10)
        assert counts.sum(axis=0).tolist() == predicted.tolist()
        assert record.metrics["dead_logits"] == 0  # without a ReLU no logit is 0


@pytest.mark.portable
def test_the_reconstructions_are_those_of_the_first_test_image_of_each_class(
    chain, dataset, reference
):
    rows = chain.base.images["test_rows"]
    labels = dataset.test_labels.tolist()
    assert rows == [labels.index(label) for label in range(10)]
    originals = unpack_images(chain.base.images["originals"])
    np.testing.assert_array_equal(originals, dataset.test_images[rows, ..., 0])
    rebuilt = unpack_images(chain.base.images["reconstructions"]).astype(int)
    arrays = load_weights(chain.out, chain.base)
    expected = 255 * reference.reconstruct(arrays, scaled(dataset.test_images[rows]))[..., 0]
    np.testing.assert_allclose(rebuilt, expected, atol=0.51)
    assert chain.base.confusion_matrix is None
    assert chain.full.images is None


def test_the_untrained_experiment_has_metrics_and_no_history(tmp_path, dataset, tiny, reference):
    record = train_spec(tiny(UNTRAINED), 0, tmp_path, dataset=dataset)
    assert record.history == {}
    assert record.seconds["per_epoch"] == []
    assert record.weights_sha256["initial"] == record.weights_sha256["final"]
    images = scaled(dataset.test_images)
    errors = reference.reconstruct(load_weights(tmp_path, record), images) - images
    assert record.metrics.keys() == {
        *("train_eval_loss", "val_loss", "pca_loss", "mean_image_loss"),
    }
    assert record.metrics["val_loss"] == pytest.approx((errors**2).mean(), rel=1e-5)
    assert record.images is not None


def test_dead_logits_are_those_that_are_zero_on_every_test_image(
    tmp_path, dataset, tiny, reference, monkeypatch
):
    classifier = networks.classifier

    def with_three_dead(*given):
        model = classifier(*given)
        bias = np.full(10, 10, np.float32)
        bias[[2, 5, 7]] = -100
        model.get_layer("logits").bias.assign(bias)
        return model

    monkeypatch.setattr(networks, "classifier", with_three_dead)
    record = train_spec(tiny(CLASSIFIER_FROZEN), 0, tmp_path, dataset=dataset)
    logits = reference.classify(load_weights(tmp_path, record), scaled(dataset.test_images))
    assert record.metrics["dead_logits"] == (logits == 0).all(axis=0).sum() == 3
    assert record.history["val_dead_logits"] == [3.0] * record.spec["epochs"]


@pytest.mark.portable
def test_a_probe_reads_the_codes_by_ridge_regression(chain, dataset, reference):
    for record in (chain.full, chain.frozen):
        arrays = load_weights(chain.out, record)
        codes, test_codes = (
            reference.encode(arrays, scaled(images)).astype(float)
            for images in (dataset.train_images, dataset.test_images)
        )
        middle = codes.mean(axis=0)
        signs = 2 * np.eye(10)[dataset.train_labels] - 1
        equations = (codes - middle).T @ (codes - middle) + np.eye(codes.shape[1])
        weights = np.linalg.solve(equations, (codes - middle).T @ (signs - signs.mean(axis=0)))
        scores = (test_codes - middle) @ weights + signs.mean(axis=0)
        right = (scores.argmax(axis=1) == dataset.test_labels).mean()
        assert record.metrics["probe_accuracy"] == pytest.approx(right, abs=0.011)
        dead = (test_codes == 0).all(axis=0).sum()
        assert record.metrics["dead_latents"] == dead


def test_a_logit_that_is_zero_on_some_images_only_is_not_dead(dataset):
    logits = np.random.default_rng(0).uniform(0.1, 1, (100, 10)).astype(np.float32)
    logits[:, 3] = 0
    logits[:99, 4] = 0
    model = SimpleNamespace(predict=lambda batches, **_: logits)
    assert evaluation.classify(model, None, dataset.test_labels)["metrics"] == {"dead_logits": 1}
