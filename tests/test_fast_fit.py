"""The replayed step against Keras's own: same numbers, same behaviour, or a said reason."""

import gc
import shutil
import warnings

import keras
import numpy as np
import pytest

torch = pytest.importorskip("torch")
if keras.backend.backend() != "torch":
    pytest.skip("steps are replayed on torch only", allow_module_level=True)

from keras import layers  # noqa: E402
from torch.fx.experimental.proxy_tensor import make_fx  # noqa: E402

from keras_fmnist import fast_fit  # noqa: E402
from keras_fmnist.fast_fit import masks, rewrite, runnable  # noqa: E402

# Unless a test asks for it, running the stock step in place of a replay is a failure.
pytestmark = pytest.mark.filterwarnings(
    "error:.*runs as stock Keras", "error:replaying without", "ignore:.*no trainable weights"
)
PATHS = ("stock", "replayed")
SIDE = 12
EXAMPLES = 44  # batches of 16: two full ones and a partial one
BATCH = 16
IMAGES = np.random.default_rng(0).random((EXAMPLES, SIDE, SIDE, 1), dtype="float32")
LABELS = np.random.default_rng(1).integers(0, 3, EXAMPLES)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Nets this small gain nothing from threads and lose much beside another process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class SeedEpochs(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        torch.manual_seed(100 + epoch)


def build_encoder(rate=0.2, normalize=False):
    image = keras.Input((SIDE, SIDE, 1))
    x = layers.Reshape((1, SIDE, SIDE))(image)
    x = layers.Conv2D(4, 3, activation="relu", data_format="channels_first")(x)
    if normalize:
        x = layers.BatchNormalization(axis=1, name="norm")(x)
    x = layers.Dropout(rate, name="dropout")(x)
    x = layers.MaxPooling2D(2, data_format="channels_first")(x)
    x = layers.Dense(5, activation="relu")(layers.Flatten()(x))
    return keras.Model(image, x, name="encoder")


def build_autoencoder(optimizer=None, path="stock", **encoder):
    keras.utils.set_random_seed(3)
    latent = keras.Input((5,))
    x = layers.Dense(SIDE * SIDE, activation="sigmoid")(latent)
    decoder = keras.Model(latent, layers.Reshape((SIDE, SIDE, 1))(x), name="decoder")
    image = keras.Input((SIDE, SIDE, 1))
    model = keras.Model(image, decoder(build_encoder(**encoder)(image)), name="autoencoder")
    model.compile(optimizer or keras.optimizers.Adam(1e-2), "mse")
    return on_path(model, path)


def build_classifier(path, frozen=False, **encoder):
    keras.utils.set_random_seed(4)
    body = build_encoder(**encoder)
    body.trainable = not frozen
    image = keras.Input((SIDE, SIDE, 1))
    model = keras.Model(image, layers.Dense(3)(body(image)), name="classifier")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
    return on_path(model, path)


def on_path(model, path):
    return fast_fit.accelerate(model, exact=True) if path == "replayed" else model


def fit(model, *data, epochs=2, callbacks=(), **settings):
    data = data or (IMAGES, IMAGES)
    settings = {"batch_size": BATCH, "verbose": 0, **settings}
    return model.fit(*data, epochs=epochs, callbacks=[SeedEpochs(), *callbacks], **settings)


def state(model):
    """Every variable of a model and its optimizer: (path, array).

    Seed generators start differently in each model; an unseeded dropout on torch reads none.
    """
    variables = [*model.variables, *model.optimizer.variables]
    return [(v.path, v.numpy().copy()) for v in variables if "seed_generator" not in v.path]


def assert_same(stock, replayed):
    assert len(stock) == len(replayed) > 4
    for (name, a), (_, b) in zip(stock, replayed, strict=True):
        difference = np.abs(np.asarray(a, "float64") - b).max()
        assert difference == 0, f"{name} differs by {difference}"


def assert_both_paths_agree(scenario):
    """`scenario(path)` gives (model, history or numbers); both paths must give the same."""
    (stock, told), (replayed, retold) = scenario("stock"), scenario("replayed")
    assert told == retold
    assert_same(state(stock), state(replayed))


# -- the same numbers ---------------------------------------------------------------------------


def test_two_hundred_steps_leave_the_weights_of_stock_keras_bit_for_bit():
    def scenario(path):
        model = build_autoencoder(path=path)
        history = fit(model, epochs=67, validation_data=(IMAGES[:20], IMAGES[:20]))
        assert int(model.optimizer.iterations) == 201
        assert history.history["loss"][-1] < history.history["loss"][0]
        return model, history.history

    assert_both_paths_agree(scenario)


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(1e-2, amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(1e-2, weight_decay=0.1),
    "sgd momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(1e-2, momentum=0.5, centered=True),
    "adagrad": lambda: keras.optimizers.Adagrad(1e-2),
    "adadelta": lambda: keras.optimizers.Adadelta(1.0),
    "lion": lambda: keras.optimizers.Lion(1e-3),
    "clipnorm": lambda: keras.optimizers.Adam(1e-2, clipnorm=0.01),
    "global clipnorm": lambda: keras.optimizers.Adam(1e-2, global_clipnorm=0.01),
    "clipvalue": lambda: keras.optimizers.Adam(1e-2, clipvalue=0.001),
    "moving average": lambda: keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.5),
    "fixed loss scale": lambda: keras.optimizers.Adam(1e-2, loss_scale_factor=8.0),
    "decayed rate": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.ExponentialDecay(1e-2, 2, 0.5)
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_setting_gives_the_same_weights(name):
    def scenario(path):
        model = build_autoencoder(OPTIMIZERS[name](), path)
        return model, fit(model).history

    assert_both_paths_agree(scenario)


@pytest.mark.parametrize("frozen", [False, True])
def test_a_classifier_has_the_same_accuracy_and_loss_at_every_epoch(frozen):
    def scenario(path):
        model = build_classifier(path, frozen, normalize=True)
        history = fit(model, IMAGES, LABELS, validation_data=(IMAGES, LABELS)).history
        assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
        return model, history

    assert_both_paths_agree(scenario)


WEIGHTINGS = {
    "class weights": {"class_weight": {0: 1.0, 1: 5.0, 2: 0.1}},
    "sample weights": {"sample_weight": np.linspace(0, 2, EXAMPLES)},
}


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_weights_of_examples_count(name):
    def scenario(path):
        model = build_classifier(path, rate=0.0)
        return model, fit(model, IMAGES, LABELS, **WEIGHTINGS[name]).history

    assert_both_paths_agree(scenario)
    plain = fit(build_classifier("replayed", rate=0.0), IMAGES, LABELS).history
    assert scenario("replayed")[1] != plain


def test_penalties_of_layers_are_part_of_the_loss():
    def scenario(path):
        keras.utils.set_random_seed(0)
        image = keras.Input((SIDE, SIDE, 1))
        x = layers.Dense(4, kernel_regularizer="l2")(layers.Flatten()(image))
        x = layers.ActivityRegularization(l1=0.1)(x)
        model = keras.Model(image, layers.Dense(3)(x))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        history = fit(on_path(model, path), IMAGES, LABELS).history
        assert history["loss"][0] > 1.5
        return model, history

    assert_both_paths_agree(scenario)


def test_several_inputs_and_outputs_by_name():
    def scenario(path):
        keras.utils.set_random_seed(0)
        a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
        x = layers.Concatenate()([a, b])
        model = keras.Model(
            {"a": a, "b": b}, {"p": layers.Dense(1, name="p")(x), "q": layers.Dense(2, name="q")(x)}
        )
        model.compile("adam", {"p": "mse", "q": "mae"}, metrics={"q": ["mse"]})
        x = {"a": IMAGES[:, :3, 0, 0], "b": IMAGES[:, :2, 1, 0]}
        y = {"p": IMAGES[:, :1, 2, 0], "q": IMAGES[:, :2, 3, 0]}
        history = fit(on_path(model, path), x, y).history
        predicted = model.predict(x, verbose=0)
        return model, history | {k: v.tolist() for k, v in predicted.items()}

    assert_both_paths_agree(scenario)


def test_single_batches_train_test_and_predict_alike():
    def scenario(path):
        model = build_classifier(path)
        torch.manual_seed(0)
        trained = model.train_on_batch(IMAGES[:8], LABELS[:8], return_dict=True)
        tested = model.test_on_batch(IMAGES[:8], LABELS[:8], return_dict=True)
        return model, (trained, tested, model.predict_on_batch(IMAGES[:8]).tolist())

    assert_both_paths_agree(scenario)


def test_prediction_and_evaluation_see_the_current_weights():
    def scenario(path):
        model = build_classifier(path)
        first = model.predict(IMAGES, batch_size=BATCH, verbose=0)
        model.set_weights([w * 0.5 for w in model.get_weights()])
        second = model.predict(IMAGES, batch_size=BATCH, verbose=0)
        assert np.abs(first - second).max() > 0.01
        return model, (second.tolist(), model.evaluate(IMAGES, LABELS, verbose=0))

    assert_both_paths_agree(scenario)


def test_a_prediction_is_not_overwritten_by_the_next_batch():
    model = build_autoencoder(path="replayed")
    first = torch.as_tensor(model.predict_on_batch(IMAGES[:4])).clone()
    kept = model.predict_function([(IMAGES[:4],)])
    model.predict_function([(IMAGES[4:8],)])
    assert torch.equal(kept, first)


# -- the same behaviour -------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_training_moves_the_weights_and_the_iteration_count(path):
    model = build_autoencoder(path=path)
    before = model.get_weights()
    fit(model, epochs=1)
    assert int(model.optimizer.iterations) == 3
    moved = [np.abs(a - b).max() for a, b in zip(before, model.get_weights(), strict=True)]
    assert sum(step > 1e-3 for step in moved) >= 6


@pytest.mark.parametrize("path", PATHS)
def test_a_frozen_encoder_does_not_move_nor_do_its_statistics(path):
    model = build_classifier(path, frozen=True, normalize=True)
    before = [w.copy() for w in model.get_layer("encoder").get_weights()]
    head = model.layers[-1].kernel.numpy().copy()
    fit(model, IMAGES, LABELS)
    pairs = list(zip(before, model.get_layer("encoder").get_weights(), strict=True))
    assert len(pairs) >= 8
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert np.abs(model.layers[-1].kernel.numpy() - head).max() > 1e-3


@pytest.mark.parametrize("path", PATHS)
def test_freezing_between_two_fits_takes_effect(path):
    model = build_classifier(path)
    fit(model, IMAGES, LABELS, epochs=1)
    model.get_layer("encoder").trainable = False
    model.compile(keras.optimizers.Adam(1e-2), model.loss, metrics=["accuracy"])
    before = [w.copy() for w in model.get_layer("encoder").get_weights()]
    head = model.layers[-1].kernel.numpy().copy()
    fit(model, IMAGES, LABELS, epochs=1)
    after = model.get_layer("encoder").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert np.abs(model.layers[-1].kernel.numpy() - head).max() > 1e-3


@pytest.mark.parametrize("path", PATHS)
def test_batch_statistics_move_in_training_and_rest_in_evaluation(path):
    model = build_autoencoder(path=path, normalize=True)
    mean = model.get_layer("encoder").get_layer("norm").moving_mean
    mean.assign(keras.ops.ones_like(mean) * 7)
    model.evaluate(IMAGES, IMAGES, verbose=0)
    assert np.array_equal(mean.numpy(), np.full(4, 7.0))
    fit(model, epochs=1)
    assert np.all(np.abs(mean.numpy() - 7) > 0.05)


class SetRate(keras.callbacks.Callback):
    """The learning rate falls to zero after the first batch."""

    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(self.model.get_weights())
        self.model.optimizer.learning_rate = 0.0


@pytest.mark.parametrize("path", PATHS)
def test_a_learning_rate_set_by_a_callback_takes_effect_at_the_next_batch(path):
    recorder = SetRate()
    model = build_autoencoder(path=path)
    start = model.get_weights()
    fit(model, epochs=1, callbacks=[recorder])
    assert len(recorder.weights) == 3
    assert np.abs(recorder.weights[0][0] - start[0]).max() > 1e-3
    for a, b in zip(recorder.weights[0], recorder.weights[2], strict=True):
        assert np.array_equal(a, b)


CALLBACKS = {
    "early stopping": lambda: keras.callbacks.EarlyStopping(
        "loss", min_delta=1.0, patience=2, restore_best_weights=True
    ),
    "scheduled rate": lambda: keras.callbacks.LearningRateScheduler(
        lambda epoch: 0.1 / (epoch + 1)
    ),
    "rate on plateau": lambda: keras.callbacks.ReduceLROnPlateau("loss", 0.1, 1, min_delta=1.0),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_callback_acts_at_the_same_epoch_with_the_same_effect(name):
    def scenario(path):
        model = build_autoencoder(path=path)
        history = fit(model, epochs=5, callbacks=[CALLBACKS[name]()])
        assert len(history.epoch) == (3 if name == "early stopping" else 5)
        return model, history.history

    assert_both_paths_agree(scenario)


@pytest.mark.parametrize("path", PATHS)
def test_a_loss_that_is_not_a_number_stops_training_at_that_batch(path):
    images = IMAGES.copy()
    images[20] = np.nan
    seen = keras.callbacks.LambdaCallback(on_train_batch_end=lambda b, logs: losses.append(logs))
    losses = []
    model = build_autoencoder(path=path)
    fit(model, images, images, callbacks=[seen, keras.callbacks.TerminateOnNaN()], shuffle=False)
    assert [bool(np.isnan(logs["loss"])) for logs in losses] == [False, True]


@pytest.mark.parametrize("path", PATHS)
def test_history_counts_epochs_from_the_initial_one(path):
    history = fit(build_autoencoder(path=path), epochs=5, initial_epoch=3)
    assert history.epoch == [3, 4]
    assert len(history.history["loss"]) == 2


@pytest.mark.parametrize("path", PATHS)
def test_the_loss_of_an_epoch_weighs_each_example_once(path):
    model = build_autoencoder(keras.optimizers.SGD(0.0), path, rate=0.0)
    told = fit(model, epochs=1).history["loss"][0]
    exact = np.mean((model.predict(IMAGES, verbose=0) - IMAGES) ** 2)
    assert told == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("path", PATHS)
def test_the_progress_line_shows_loss_and_validation(path, capsys):
    fit(build_autoencoder(path=path), verbose=2, epochs=1, validation_split=0.25)
    printed = capsys.readouterr().out
    assert "loss: " in printed
    assert "val_loss: " in printed


def test_a_saved_model_loads_as_plain_keras_and_goes_on_as_if_never_replayed(tmp_path):
    model = build_autoencoder(path="replayed")
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert "make_train_function" not in vars(loaded)
    assert_same(state(model), state(loaded))
    fit(model)
    fit(loaded)
    assert_same(state(model), state(loaded))


def test_a_dropout_rate_changed_between_fits_takes_effect():
    def scenario(path):
        model = build_autoencoder(path=path)
        fit(model)
        model.get_layer("encoder").get_layer("dropout").rate = 0.9
        return model, fit(model).history

    assert_both_paths_agree(scenario)


def test_compiling_with_another_loss_takes_effect():
    def scenario(path):
        model = build_autoencoder(path=path)
        fit(model)
        model.compile(keras.optimizers.SGD(0.1), "mae", metrics=["mse"])
        return model, fit(model).history

    assert_both_paths_agree(scenario)


def test_tensors_reach_the_replay_without_a_copy(monkeypatch):
    seen = []

    class Batches(keras.utils.PyDataset):
        tensor = torch.tensor(IMAGES[:BATCH])

        def __len__(self):
            return 1

        def __getitem__(self, index):
            return self.tensor, self.tensor

    class Recorder:
        def is_stale(self):
            return False

        def __call__(self, leaves):
            seen.extend(leaf.data_ptr() for leaf in leaves if leaf is not None)
            return {"loss": torch.zeros(())}

    monkeypatch.setattr(fast_fit.tracing, "trace", lambda *_: Recorder())
    fit(build_autoencoder(path="replayed"), Batches(), batch_size=None, epochs=1)
    assert seen == [Batches.tensor.data_ptr()] * 2


def test_a_trace_keeps_no_activation_alive():
    model = build_autoencoder(path="replayed")
    fit(model, epochs=1)
    gc.collect()
    activation = BATCH * 4 * 10 * 10
    tensors = [t for t in gc.get_objects() if type(t) in (torch.Tensor, torch.nn.Parameter)]
    assert len(tensors) > 20
    assert not [t.shape for t in tensors if t.numel() >= activation and len(t) == BATCH]


# -- where a replay would be wrong ----------------------------------------------------------------


class OwnStep(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)


class Counter(layers.Layer):
    calls = 0

    def __init__(self):
        super().__init__()
        self.calls = 0

    def call(self, x):
        self.calls += 1
        return x * self.calls


class Torch(layers.Layer):
    def __init__(self):
        super().__init__()
        self.module = torch.nn.BatchNorm1d(3)

    def call(self, x):
        return self.module(x)


def dense_model(*middle, cls=keras.Model, **settings):
    vector = keras.Input((3,))
    x = vector
    for layer in middle:
        x = layer(x)
    model = cls(vector, layers.Dense(1)(x))
    model.compile(**{"optimizer": "adam", "loss": "mse", **settings})
    return model


def subclassed_model():
    model = Subclassed()
    model.compile("adam", "mse")
    return model


ADAM = keras.optimizers.Adam
VALUE = "its Python depends on a value that a step computes"
UNTRACEABLE = {
    "run_eagerly": (lambda: dense_model(run_eagerly=True), "run_eagerly"),
    "own step": (lambda: dense_model(cls=OwnStep), "train_step of its own"),
    "subclass": (subclassed_model, "not functional"),
    "python state": (lambda: dense_model(Counter()), "a call changes calls"),
    "torch module": (lambda: dense_model(Torch()), "outside Keras variables"),
    "seeded dropout": (lambda: dense_model(layers.Dropout(0.5, seed=1)), VALUE),
    "noise": (lambda: dense_model(layers.GaussianNoise(0.5)), VALUE),
    "accumulation": (lambda: dense_model(optimizer=ADAM(gradient_accumulation_steps=2)), VALUE),
    "loss scale": (
        lambda: dense_model(optimizer=keras.optimizers.LossScaleOptimizer(ADAM())),
        VALUE,
    ),
    "numpy in an optimizer": (lambda: dense_model(optimizer=keras.optimizers.Nadam()), "numpy"),
    "rate function": (lambda: dense_model(optimizer=ADAM(lambda: 1e-2)), "learning rate"),
}


@pytest.mark.parametrize("name", UNTRACEABLE)
def test_what_can_not_be_replayed_says_so_once_and_trains_as_stock(name):
    build, reason = UNTRACEABLE[name]
    x, y = IMAGES[:, :3, 0, 0], IMAGES[:, :1, 1, 0]

    def train(path):
        keras.utils.set_random_seed(0)
        model = on_path(build(), path)
        return model, model.fit(x, y, epochs=2, batch_size=BATCH, verbose=0).history

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        replayed, history = train("replayed")
    said = [str(w.message) for w in told if "train step runs as stock Keras" in str(w.message)]
    assert len(said) == 1
    assert reason in said[0]
    stock, expected = train("stock")
    assert history == expected
    for a, b in zip(stock.get_weights(), replayed.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_wrong_batch_raises_what_keras_says_and_the_next_fit_is_replayed():
    model = build_autoencoder(path="replayed")
    fit(model, epochs=1)
    with pytest.raises(ValueError, match="shape"):
        fit(model, IMAGES[:, :5], IMAGES, epochs=1)
    fit(model, epochs=1)


def test_settings_that_change_at_every_batch_end_the_tracing(monkeypatch):
    monkeypatch.setattr(fast_fit, "_MOST_TRACES", 3)

    class Anneal(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.layers[1].rate = 0.1 + batch / 1000

    model = dense_model(layers.Dropout(0.1))
    fast_fit.accelerate(model)
    with pytest.warns(UserWarning, match="changed 3 times"):
        model.fit(
            *(IMAGES[:10, :3, 0, 0], IMAGES[:10, :1, 1, 0]),
            **{"batch_size": 1, "callbacks": [Anneal()], "verbose": 0},
        )
    assert int(model.optimizer.iterations) == 10


# -- masks ----------------------------------------------------------------------------------------


def draw(keep, shape=(400_000,), seed=0):
    torch.manual_seed(seed)
    return masks.draw_fast_mask_(torch.full(shape, torch.nan), keep)


@pytest.mark.parametrize("keep", [0.05, 0.5, 0.8, 0.99])
def test_the_fast_mask_keeps_at_its_rate_in_every_lane(keep):
    mask = draw(keep)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    for lane in mask.view(-1, 4).T:
        error = abs(lane.mean().item() - keep)
        assert error < 4.5 * np.sqrt(keep * (1 - keep) / len(lane)) + 2**-17


def test_the_fast_mask_is_independent_across_positions_lanes_and_draws():
    mask = draw(0.8).double() - 0.8
    bound = 4.5 * 0.16 / np.sqrt(len(mask))
    for shift in (1, 2, 3, 4, 5, 28, 784):
        assert abs((mask[:-shift] * mask[shift:]).mean().item()) < bound, shift
    following = masks.draw_fast_mask_(torch.empty(len(mask)), 0.8).double() - 0.8
    assert abs((mask * following).mean().item()) < bound


def test_the_four_lanes_of_a_word_fall_in_all_patterns_as_often_as_chance_has_it():
    words = draw(0.8).view(-1, 4)
    seen = (words @ torch.tensor([1.0, 2.0, 4.0, 8.0])).long().bincount(minlength=16).numpy()
    ones = np.array([bin(pattern).count("1") for pattern in range(16)])
    expected = len(words) * 0.8**ones * 0.2 ** (4 - ones)
    # 37.7 is passed once in a thousand draws with 15 degrees of freedom; the seed is fixed.
    assert ((seen - expected) ** 2 / expected).sum() < 37.7


def test_the_fast_mask_follows_the_seed_and_any_shape():
    assert torch.equal(draw(0.3, (3, 5, 7)), draw(0.3, (3, 5, 7)))
    assert not torch.equal(draw(0.3, (3, 5, 7)), draw(0.3, (3, 5, 7), seed=1))
    strided = torch.full((2, 3, 4, 5), torch.nan).to(memory_format=torch.channels_last)
    torch.manual_seed(0)
    masks.draw_fast_mask_(strided, 0.3)
    assert torch.equal(strided, draw(0.3, (2, 3, 4, 5)))


@pytest.mark.parametrize("count", [1, 7, 65_536, 150_001])
@pytest.mark.parametrize("keep", [0.8, 1 / 3])
def test_the_stock_mask_is_torch_s_own_and_leaves_its_generator_there(count, keep):
    torch.manual_seed(5)
    expected, following = torch.empty(count).bernoulli_(keep), torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(masks.draw_stock_mask_(torch.empty(count), keep), expected)
    assert torch.equal(torch.rand(3), following)


def zeros(y_true, y_pred):
    return keras.ops.mean(keras.ops.cast(y_pred == 0, "float32"))


def scale(y_true, y_pred):
    return keras.ops.max(y_pred)


@pytest.mark.parametrize("exact", [False, True])
def test_dropout_in_a_replayed_fit_has_its_rate_and_scale_and_evaluation_has_none(exact):
    vector = keras.Input((2000,))
    unit = layers.Dense(1, kernel_initializer="ones", use_bias=False)
    x = unit(layers.Reshape((2000, 1))(vector))
    model = keras.Model(vector, layers.Dropout(0.3)(x))
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=[zeros, scale])
    fast_fit.accelerate(model, exact=exact)
    ones = np.ones((100, 2000), "float32")
    history = model.fit(ones, ones[..., None], batch_size=10, verbose=0).history
    assert history["zeros"][0] == pytest.approx(0.3, abs=4.5 * np.sqrt(0.21 / 200_000))
    assert history["scale"][0] == pytest.approx(1 / 0.7)
    assert model.evaluate(ones, ones[..., None], verbose=0, return_dict=True)["zeros"] == 0


def test_a_fit_with_fast_masks_is_repeated_by_its_seeds():
    def train():
        model = fast_fit.accelerate(build_autoencoder())
        return fit(model).history["loss"], model.get_weights()

    (losses, weights), (again, same) = train(), train()
    assert losses == again
    assert all(np.array_equal(a, b) for a, b in zip(weights, same, strict=True))
    assert losses != fit(build_autoencoder(path="replayed")).history["loss"]


# -- batch norm -----------------------------------------------------------------------------------


def train_norm(exact, axis=1, frozen=False, **settings):
    """Weights, moving statistics among them, of a net with one batch norm after five steps."""
    keras.utils.set_random_seed(5)
    image = keras.Input((3, 6, 4))
    norm = layers.BatchNormalization(axis=axis, epsilon=1e-3, momentum=0.8, **settings)
    norm.trainable = not frozen
    x = norm(layers.Conv2D(3, 3, padding="same", data_format="channels_first")(image))
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(x)))
    model.compile(keras.optimizers.SGD(1e-4, momentum=0.9), "mse")
    rng = np.random.default_rng(6)
    data = 3 + 2 * rng.random((40, 3, 6, 4), "float32"), rng.random((40, 2), "float32")
    fast_fit.accelerate(model, exact=exact).fit(*data, batch_size=8, shuffle=False, verbose=0)
    assert "call" not in vars(norm)
    return state(model)


@pytest.fixture
def kernel_calls(monkeypatch):
    calls, kernel = [], torch.native_batch_norm
    monkeypatch.setattr(torch, "native_batch_norm", lambda *a: calls.append(a) or kernel(*a))
    return calls


@pytest.mark.parametrize("settings", [{}, {"scale": False}, {"center": False}])
def test_batch_norm_by_torchs_kernel_is_keras_own_but_for_rounding(kernel_calls, settings):
    keras_own = train_norm(True, **settings)
    assert kernel_calls == []
    fused = train_norm(False, **settings)
    assert len(kernel_calls) == 1  # while it was traced
    for (name, a), (_, b) in zip(keras_own, fused, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5, err_msg=name)
    assert any(np.abs(a - b).max() > 0 for (_, a), (_, b) in zip(keras_own, fused, strict=True))


@pytest.mark.parametrize("settings", [{"axis": -1}, {"frozen": True}, {"renorm": True}])
def test_batch_norm_that_the_kernel_does_not_do_is_keras_own_bit_for_bit(
    kernel_calls, monkeypatch, settings
):
    monkeypatch.setattr(runnable, "_rearrange", lambda *_: None)  # it would round otherwise
    assert_same(train_norm(True, **settings), train_norm(False, **settings))
    assert kernel_calls == []


# -- rewritings of the graph ----------------------------------------------------------------------


def rewritten(function, *inputs):
    module = make_fx(function)(*inputs)
    rewrite.clean(module)
    rewrite.pool_channels_last(module.graph)
    rewrite.reuse_memory(module.graph)
    module.recompile()
    return module


def overwrites(x):
    a = x * 2
    b = a + 1  # may take a's memory
    c = b.relu()  # may not take b's: it is read below, through a view
    view = b.view(-1)
    d = c * x.sum(1, keepdim=True)
    return d - view.view_as(d), c.t().sigmoid(), (b.expand(2, *b.shape) * 3).sum(0)


def test_memory_is_reused_only_where_nobody_reads_it_again():
    x = torch.randn(6, 6)
    kept = x.clone()
    module = rewritten(overwrites, x)
    assert sum("_." in str(node.target) for node in module.graph.nodes) >= 2
    for expected, given in zip(overwrites(x), module(x), strict=True):
        assert torch.equal(expected, given)
    assert torch.equal(x, kept)


def test_pooling_finds_the_same_first_maximum_among_ties_and_odd_sides():
    images = torch.randint(0, 3, (5, 3, 11, 11)).float().requires_grad_()

    def pool(images):
        pooled = torch.nn.functional.max_pool2d(images, 2)
        return pooled, *torch.autograd.grad((pooled * 3).sum(), images)

    module = rewritten(pool, images)
    assert any("channels_last" in str(node.target) for node in module.graph.nodes)
    for expected, given in zip(pool(images), module(images), strict=True):
        assert torch.equal(expected, given)


def test_constants_are_computed_once():
    module = rewritten(lambda x: x + torch.tensor([2.0, 3.0]).sqrt().exp(), torch.zeros(2))
    assert [n.target for n in module.graph.nodes if n.op == "call_function"] == [
        torch.ops.aten.add.Tensor
    ]
    assert torch.equal(module(torch.ones(2)), 1 + torch.tensor([2.0, 3.0]).sqrt().exp())


# -- devices --------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor compiles C++")
def test_inductor_gives_the_losses_of_the_graph():
    def train(inductor):
        keras.utils.set_random_seed(0)
        model = dense_model(layers.Dense(8, activation="relu"), layers.Dropout(0.5))
        fast_fit.accelerate(model, exact=True, inductor=inductor)
        data = torch.tensor(IMAGES[:32, :3, 0, 0]), torch.tensor(IMAGES[:32, :1, 1, 0])
        return fit(model, *data).history["loss"]

    np.testing.assert_allclose(train(True), train(False), rtol=1e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the capture succeeds where there is a GPU")
@pytest.mark.filterwarnings("default")
def test_a_failing_capture_is_said_and_nothing_is_returned():
    module = make_fx(lambda x: [x + 1])(torch.zeros(2))
    with pytest.warns(UserWarning, match="replaying without CudaGraph"):
        assert runnable._try(runnable._CudaGraph, module, [], [torch.zeros(2)]) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_cuda_graph_takes_the_steps_of_stock_keras():
    def scenario(path):
        model = build_classifier(path, rate=0.0)
        return model, fit(model, IMAGES, LABELS, epochs=5, shuffle=False).history["loss"]

    np.testing.assert_allclose(scenario("replayed")[1], scenario("stock")[1], rtol=1e-4)


def test_nothing_is_warned_by_a_plain_replayed_fit():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(build_classifier("replayed"), IMAGES, LABELS, validation_data=(IMAGES, LABELS))
