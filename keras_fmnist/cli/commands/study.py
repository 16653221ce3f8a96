"""`keras-fmnist study`: runs many trainings side by side."""

import importlib.util
import re
from fnmatch import fnmatch
from typing import Annotated

from keras_fmnist.backends import resolve_device
from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import Backend, Device, check_folder, check_int, select_backend
from keras_fmnist.cli.output import say_how_to_go_on
from keras_fmnist.records import provenance
from keras_fmnist.records.run import STUDY, Run
from keras_fmnist.settings import SpecError, shorten


def run_study(
    catalogue: Catalogue,
    *globs: Annotated[str, "such as mansilla/* or */classifier_*; all where none is given"],
    seeds: Annotated[int, "from 0 on"] = 5,
    jobs: Annotated[
        int | None, "runs side by side; one a processor, on a GPU one, on a cluster its room"
    ] = None,
    backend: Backend = None,
    device: Device = "auto",
    engine: Annotated[
        str, "local: processes of this machine; ray: a cluster of machines"
    ] = "local",
    address: Annotated[
        str | None, "of the Ray cluster, auto or host:port; else Ray starts here alone"
    ] = None,
    out: Annotated[str, "folder of the records"] = STUDY,
) -> None:
    """Runs what is missing of the experiments that match, over several seeds.

    Raises:
        SpecError: an argument is wrong; nothing was trained or written.
        RuntimeError: a run failed, or no Ray cluster answers at the address.
    """
    specs = [*catalogue.specs, *catalogue.readings]
    for glob in globs:
        if not isinstance(glob, str) or not any(fnmatch(spec.id, glob) for spec in specs):
            raise SpecError(
                f"{shorten(glob)} matches no experiment; try mansilla/* or */classifier_*"
            )
    chosen = [spec for spec in specs if not globs or any(fnmatch(spec.id, g) for g in globs)]
    check_int("seeds", seeds, 1, 1000)
    if jobs is not None:
        check_int("jobs", jobs, 1, 1000)
    check_folder(out)
    _check_engine(engine, address)
    backend = select_backend(backend)
    if not (engine == "ray" and device == "gpu"):  # the nodes need GPUs, this machine does not
        device = resolve_device(device)
    from keras_fmnist.reporting import figures
    from keras_fmnist.study.jobs import plan_jobs
    from keras_fmnist.study.local import Local
    from keras_fmnist.study.scheduler import run_jobs

    runs = [Run(spec, seed, backend, device) for seed in range(seeds) for spec in chosen]
    missing = plan_jobs(runs, out)
    if missing and engine == "ray":
        from keras_fmnist.study import ray_cluster

        runner = ray_cluster.Cluster(out, device, jobs, address)
    else:
        processors = 1 if device == "gpu" else provenance.usable_cores()
        runner = Local(out, jobs or processors)
    print(f"runs missing under {out}: {len(missing)}; {runner.places} at a time", flush=True)
    try:
        with say_how_to_go_on("the same command goes on"):
            run_jobs(missing, runner)
    finally:  # draw what has succeeded, also after a failure
        for experiment_id in dict.fromkeys(
            j.run.spec.id for j in missing if j.files.record.exists()
        ):
            figures.draw(out, experiment_id)


def _check_engine(engine, address):
    """Raises SpecError if engine or address is wrong, or if Ray is not installed."""
    if engine not in ("local", "ray"):
        raise SpecError(f"engine must be local or ray, not {shorten(engine)}")
    if engine == "local" and address is not None:
        raise SpecError("address belongs to the engine ray: add --engine ray, or leave it out")
    host_port = isinstance(address, str) and re.fullmatch(r"[^\s:]+:([0-9]{1,5})", address)
    if address not in (None, "auto") and not (host_port and 0 < int(host_port[1]) < 2**16):
        raise SpecError(
            f"address must be auto, or host:port such as 10.0.0.1:6379, not {shorten(address)}"
        )
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        raise SpecError("ray is not installed: pip install 'keras-fmnist[ray]'")
