"""Which tensor belongs where, decided by shapes alone: no files, no frameworks."""

import pytest

from keras_fmnist.models.matching import MOST_TENSORS, MatchError, match

NET = {
    "encoder.conv1.weight": (4, 1, 3, 3),
    "encoder.conv1.bias": (4,),
    "encoder.bn1.weight": (4,),
    "encoder.bn1.bias": (4,),
    "encoder.bn1.running_mean": (4,),
    "encoder.bn1.running_var": (4,),
    "decoder.deconv1.weight": (4, 1, 3, 3),
    "decoder.deconv1.bias": (1,),
}
TWINS = {f"{layer}.{role}": (4,) for layer in "ab" for role in ("weight", "bias")}


def test_names_that_are_ours_stay_whatever_their_order_and_their_shape():
    shuffled = dict(reversed(NET.items())) | {"encoder.conv1.bias": (7,)}
    way = match(shuffled, NET)
    assert way.names == {name: name for name in NET}
    assert (way.notes, way.guessed) == ((), False)


def test_the_order_of_layers_decides_between_layers_of_the_same_shapes():
    theirs = {name.replace("a.", "first.").replace("b.", "second."): s for name, s in TWINS.items()}
    assert match(theirs, TWINS).names == {
        "a.weight": "first.weight",
        "a.bias": "first.bias",
        "b.weight": "second.weight",
        "b.bias": "second.bias",
    }


def test_the_order_inside_a_layer_does_not_count_where_its_variables_have_names():
    """Sorted by name, a batch norm's bias comes before its weight, and they have one shape."""
    theirs = {name.replace(".", "_", 1): NET[name] for name in sorted(NET)}
    assert next(iter(theirs)) == "decoder_deconv1.bias"
    assert match(theirs, NET).names == {name: name.replace(".", "_", 1) for name in NET}


def test_layers_out_of_order_are_told_apart_by_their_shapes_or_not_at_all():
    layers = {"0": "decoder.deconv1", "2": "encoder.conv1", "1": "encoder.bn1"}
    theirs = {
        f"{number}.{name.rpartition('.')[2]}": shape
        for number, layer in reversed(layers.items())
        for name, shape in NET.items()
        if name.startswith(layer)
    }
    assert match(theirs, NET).names["encoder.conv1.weight"] == "2.weight"
    twins = NET | {"decoder.deconv1.bias": (4,)}  # now it is shaped as conv1
    with pytest.raises(MatchError, match="--map FILE says which is which") as error:
        match(theirs | {"0.bias": (4,)}, twins)
    assert {row[2] for row in error.value.rows} >= NET.keys()


def test_a_name_that_is_ours_is_not_given_to_another_layer():
    theirs = {"b.weight": (4,), "b.bias": (4,), "c.weight": (4,), "c.bias": (4,)}
    with pytest.raises(MatchError):
        match(theirs, TWINS)


def test_two_tensors_that_would_have_one_name_keep_their_wrappers():
    with pytest.raises(MatchError, match=r"module\.a\.bias belongs to no layer of this model"):
        match(TWINS | {"module.a.bias": (4,)}, TWINS)


def test_counters_are_no_weights():
    theirs = NET | {"encoder.bn1.num_batches_tracked": (), "n_averaged": ()}
    assert match(theirs, NET).names.keys() == NET.keys()


def test_a_tensor_that_is_missing_is_named_with_what_is_nearest():
    theirs = {name.replace("conv1.bias", "conv1.bais"): shape for name, shape in NET.items()}
    theirs |= {"encoder.conv1.bais": (5,)}
    with pytest.raises(MatchError) as error:
        match(theirs, NET)
    assert str(error.value) == (
        "encoder.conv1.bias is missing; the file has encoder.conv1.bais, decoder.deconv1.bais"
    )


def test_an_encoder_with_a_head_that_is_none_is_no_encoder_alone():
    encoder = {name: shape for name, shape in NET.items() if name.startswith("encoder.")}
    head = {"logits.weight": (10, 100), "logits.bias": (10,)}
    assert match(encoder | head, NET).notes == (
        "not used: logits.weight, logits.bias",
        "the encoder alone, decoder fresh",
    )
    with pytest.raises(MatchError, match="decoder"):
        match(encoder | {"decoder.up.weight": (4, 1, 9, 9)}, NET)


def test_thousands_of_tensors_are_refused_at_once():
    with pytest.raises(MatchError, match="are no net of ours: this one has 8"):
        match({f"{k}.weight": (1,) for k in range(MOST_TENSORS + 1)}, NET)


def test_a_map_decides_what_it_names_and_leaves_the_rest():
    theirs = {name.replace("encoder.conv1", "stem"): shape for name, shape in NET.items()}
    renamed = {"stem.weight": "encoder.conv1.weight", "stem.bias": "encoder.conv1.bias"}
    way = match(theirs, NET, renamed)
    assert way.names == {name: name.replace("encoder.conv1", "stem") for name in NET}
    assert not way.guessed
