"""What `keras-fmnist report` does: figures, page and README, written or held to the records."""

from pathlib import Path
from typing import TYPE_CHECKING

from keras_fmnist import checks, grouping, results
from keras_fmnist.files import write_whole

LIVE = "live.html"  # the page in which the nets run

if TYPE_CHECKING:
    from keras_fmnist.catalogue import Catalogue


def write_report(catalogue: "Catalogue", out: str = results.STUDY, check: bool = False) -> None:
    """Renews figures and page from the records under `out`, and README.md for the study.

    Figures that no record gives any more are removed. With `check` nothing is written; what is not
    as the records give it is named.

    Raises:
        SpecError: an argument is wrong, or the study holds a run that is not as its experiment is
            declared; nothing was written.
        RuntimeError: `check` found what differs.
    """
    checks.records(out)
    checks.flag("check", check)
    from keras_fmnist import figures, report

    records = results.read_all(out)
    files = dict(_reported(catalogue, out, records))
    changed = [path for path, content in files.items() if not figures.same(path, content)]
    drawn = {path for spec in catalogue.specs for path in figures.drawn(out, spec)}
    drawn |= {path for path in [Path(out, LIVE)] if path.exists()}
    strays = sorted(drawn - files.keys())
    if check:
        wrong = [f"{path} is not what the records give" for path in changed]
        wrong += [f"{path} is given by no record" for path in strays]
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
    print(report.results_table(catalogue.specs, records))


def _reported(catalogue, out, records):
    """Every file that the records give, as pairs of path and bytes."""
    from keras_fmnist import figures, page, report

    found, leading = grouping.by_experiment(records), []
    for spec in catalogue.specs:
        if mine := found.get(spec.id):
            yield from figures.render(out, mine).items()
            leading.append(grouping.leading(mine)[0])
    yield from figures.render_overview(out, leading).items()
    yield Path(out, "index.html"), page.render(catalogue, records, out).encode()
    if live := page.render_live(catalogue, records, out):
        yield Path(out, LIVE), live.encode()
    readme = Path(__file__).parent.parent / "README.md"
    if Path(out).resolve() == (readme.parent / results.STUDY).resolve():
        for spec in [*catalogue.specs, *catalogue.readings]:
            for record in found.get(spec.id, ()):  # a quick look must not stand for the whole
                results.require(record, results.path_of(out, record), spec)
        text = readme.read_text(encoding="utf-8")
        yield readme, report.renew(text, catalogue, records, out).encode()
