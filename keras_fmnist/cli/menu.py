"""Lists every command of `keras-fmnist`."""

from collections.abc import Callable

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.app import Choice, command
from keras_fmnist.cli.commands.assumptions import print_ranking
from keras_fmnist.cli.commands.bench import bench
from keras_fmnist.cli.commands.claims import print_claims
from keras_fmnist.cli.commands.compare import compare
from keras_fmnist.cli.commands.convert import convert
from keras_fmnist.cli.commands.data import prepare_data
from keras_fmnist.cli.commands.export import export
from keras_fmnist.cli.commands.inspect import inspect
from keras_fmnist.cli.commands.latent import map_latent_spaces
from keras_fmnist.cli.commands.list import list_experiments
from keras_fmnist.cli.commands.live import measure_for_live_page
from keras_fmnist.cli.commands.predict import predict
from keras_fmnist.cli.commands.report import write_report
from keras_fmnist.cli.commands.study import run_study
from keras_fmnist.cli.commands.train import build_experiment_commands

Commands = dict[str, "Callable[..., Choice] | Commands"]


def build_menu(catalogue: Catalogue) -> Commands:
    """Builds the commands of `keras-fmnist`, and below each report those of its experiments."""
    return {
        "list": command(list_experiments, catalogue),
        "data": command(prepare_data),
        "assumptions": command(print_ranking, catalogue),
        "report": command(write_report, catalogue),
        "claims": command(print_claims, catalogue),
        "study": command(run_study, catalogue),
        "inspect": command(inspect, catalogue),
        "compare": command(compare, catalogue),
        "convert": command(convert, catalogue),
        "export": command(export, catalogue),
        "predict": command(predict, catalogue, experiment=catalogue.classifier.id),
        "latent": command(map_latent_spaces, catalogue),
        "live": command(measure_for_live_page, catalogue),
        "bench": command(bench, catalogue),
        **{name: build_experiment_commands(specs) for name, specs in catalogue.reports.items()},
    }
