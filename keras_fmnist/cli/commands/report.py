"""`keras-fmnist report`: writes or checks figures, page and documents."""

from pathlib import Path
from typing import Annotated

from keras_fmnist.claims.catalogue import Catalogue
from keras_fmnist.cli.arguments import (
    RecordsFolder,
    check_flag,
    find_records_folder,
    say_where_records_are,
)
from keras_fmnist.files import write_whole
from keras_fmnist.records.record import read_records
from keras_fmnist.settings import SpecError


def write_report(
    catalogue: Catalogue,
    *,
    check: Annotated[
        bool, "write nothing, and fail where one of them is not what the records give"
    ] = False,
    out: RecordsFolder = None,
) -> None:
    """Writes figures, page and documents (README.md, docs/) from the records.

    Figures that no record gives any more are removed. With `check` nothing is written; files that
    differ from what the records give are named.

    Raises:
        SpecError: an argument is wrong, or a run of the study has other settings than its
            experiment; nothing was written.
        RuntimeError: `check` found what differs.
    """
    check_flag("check", check)
    out = find_records_folder(out, is_written=not check, takes_published=check)
    from keras_fmnist.reporting import figures
    from keras_fmnist.reporting.build import LIVE_PAGE, build_files, is_unchanged
    from keras_fmnist.reporting.tables import format_results

    records = read_records(out)
    if not records:
        raise SpecError(f"{out} holds no records: a page of them would be empty")
    say_where_records_are(out)
    files = dict(build_files(catalogue, out, records))
    changed = [path for path, content in files.items() if not is_unchanged(path, content)]
    drawn = {path for spec in catalogue.specs for path in figures.list_drawn(out, spec)}
    drawn |= {path for path in [Path(out, LIVE_PAGE)] if path.exists()}
    strays = sorted(drawn - files.keys())
    if check:
        wrong = [f"{path} is not what the records give" for path in changed]
        wrong += [f"{path} belongs to no record" for path in strays]
        if wrong:
            print(*wrong, sep="\n")
            raise RuntimeError(f"{len(wrong)} files differ from the records: keras-fmnist report")
        print(f"{len(files)} files are what {len(records)} records give")
        return
    for path in changed:
        write_whole(path, files[path])
        print(path)
    for path in strays:
        path.unlink()
        print(f"{path} removed: no record gives it any more")
    print(format_results(catalogue.specs, records))
