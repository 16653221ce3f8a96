"""Records that belong together: never averaged with others, one group stands for an experiment."""

from experiments.mansilla import BASE, CLASSIFIER_FULL, SGD
from keras_fmnist.records.groups import find_seed, group_alike, is_declared, select_largest
from keras_fmnist.specs import override, settings


def test_records_are_grouped_by_experiment_backend_and_device(make_record):
    records = [make_record(BASE, seed) for seed in (0, 1)]
    records += [make_record(BASE, backend="jax"), make_record(BASE, device="gpu")]
    records += [make_record(CLASSIFIER_FULL)]
    sizes = sorted(len(group) for group in group_alike(records))
    assert sizes == [1, 1, 1, 2]


def test_runs_with_other_settings_are_never_averaged(make_record):
    shorter = settings(override(BASE, {"epochs": 1}))
    records = [make_record(BASE, 0), make_record(BASE, 1, spec=shorter), make_record(BASE, 2)]
    assert [record.seed for record in select_largest(records)] == [0, 2]
    few = make_record(BASE, 1, examples=100)
    assert select_largest([make_record(BASE, 0), few, make_record(BASE, 2)]) == [
        make_record(BASE, 0),
        make_record(BASE, 2),
    ]


def test_those_that_stand_for_an_experiment_have_most_seeds_then_torch_then_the_gpu(make_record):
    jax = [make_record(BASE, seed, backend="jax") for seed in (0, 1)]
    torch_cpu = [make_record(BASE, seed) for seed in (0, 1)]
    torch_gpu = [make_record(BASE, seed, device="gpu") for seed in (0, 1)]
    more = [make_record(BASE, seed, backend="tensorflow") for seed in (0, 1, 2)]
    for order in (1, -1):
        assert select_largest((jax + torch_cpu)[::order]) == torch_cpu[::order]
        assert select_largest((torch_cpu + torch_gpu)[::order]) == torch_gpu[::order]
        assert select_largest((torch_gpu + more)[::order]) == more[::order]


def test_runs_without_keras_stand_for_an_experiment_only_where_there_are_no_others(make_record):
    native = [make_record(BASE, seed, backend="pytorch") for seed in (0, 1, 2)]
    ours = [make_record(BASE, 0, backend="jax")]
    assert select_largest(native + ours) == ours
    assert select_largest(native) == native


def test_the_run_of_a_seed_is_one_of_those_that_stand_for_the_experiment(make_record):
    on_gpu = make_record(BASE, 0, device="gpu")
    on_cpu = [make_record(BASE, seed) for seed in range(3)]
    records = [on_gpu, *on_cpu]
    assert find_seed(records, 0) == on_cpu[0]
    assert find_seed([on_gpu, *on_cpu[1:]], 0) == on_gpu  # there is no other
    assert find_seed(records, 3) is None
    assert find_seed(records, 0, lambda record: record.device == "gpu") == on_gpu
    assert find_seed(records, 1, lambda record: record.device == "gpu") is None


def test_a_record_of_other_settings_or_fewer_images_is_not_the_declared_experiment(make_record):
    assert is_declared(make_record(BASE), BASE)
    assert not is_declared(make_record(BASE, examples=59_999), BASE)
    assert not is_declared(make_record(SGD), BASE)
    shorter = settings(override(BASE, {"epochs": 1}))
    assert not is_declared(make_record(BASE, spec=shorter), BASE)
