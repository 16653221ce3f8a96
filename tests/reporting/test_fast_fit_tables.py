"""The tables of docs/fast_fit.md."""

from keras_fmnist.reporting.fast_fit_tables import format_models, format_verification

NET = {
    "bit_equal_with_exact": True,
    "runs_as_stock_with_exact": [],
    "cpu_seconds_to_trace": 0.43,
    "ours_cpu_ms": 12.05,
    "stock_over_ours": [1.58, 1.52, 1.61],
}
COSTS = {
    "step": 20.04,
    "verify_train": 25.2,
    "verify_test": 4.0,
    "percent_of_100_steps": 1.457,
    "look": 0.06,
}


def test_a_model_has_a_row_with_the_median_before_the_quartiles():
    native = NET | {"native_over_ours": [0.7, 0.65, 0.71]}
    noisy = NET | {"runs_as_stock_with_exact": ["draws"], "bit_equal_with_exact": False}
    table = format_models({"models": {"models": {"convnet": native, "noisy": noisy}}})
    assert table.splitlines()[2:] == [
        "| convnet | yes | 0.43 s | 12.05 ms | 1.58 × (1.52 to 1.61) | 0.70 × (0.65 to 0.71) |",
        "| noisy | no, as stock | 0.43 s | 12.05 ms | 1.58 × (1.52 to 1.61) |  |",
    ]


def test_the_cost_of_a_verification_is_shown_once_it_is_measured():
    assert len(format_verification({"models": {"models": {}}}).splitlines()) == 2
    table = format_verification({"models": {"verification": {"mansilla/base": COSTS}}})
    assert table.splitlines()[2:] == [
        "| `mansilla/base` | 20.0 ms | 25.2 ms | 4.0 ms | 1.46 % | 0.06 ms |"
    ]
