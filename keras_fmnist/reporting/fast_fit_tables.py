"""Tables of docs/fast_fit.md, from what `benchmarks/models.py` measured."""

HEAD = "| model | bit-equal with `exact=True` | to trace | a step | stock Keras | native loop |"
COSTS_HEAD = (
    "| experiment, batches of 100 | a step | verifying training | verifying validation "
    "| of an epoch of 100 steps | looking at what is watched |"
)


def format_models(measured: dict[str, dict]) -> str:
    """A row for each foreign model, in processor time.

    It has the seconds to trace, a step of ours, and how many times longer the step takes in stock
    Keras and, where there is one, in a native loop.

    Args:
        measured: as `read_measurements` gives it, `{file: content}`.
    """
    rows = [HEAD, "| --- | --- | ---: | ---: | ---: | ---: |"]
    for record in measured.values():
        rows += [_format_model(name, found) for name, found in record["models"].items()]
    return "\n".join(rows)


def _format_model(name, found):
    equal = "yes" if found["bit_equal_with_exact"] else "no"
    equal += ", as stock" if found["runs_as_stock_with_exact"] else ""
    return (
        f"| {name} | {equal} | {found['cpu_seconds_to_trace']} s | {found['ours_cpu_ms']} ms "
        f"| {_format_ratio(found['stock_over_ours'])} "
        f"| {_format_ratio(found.get('native_over_ours'))} |"
    )


def _format_ratio(quartiles):
    if quartiles is None:
        return ""
    median, low, high = quartiles
    return f"{median:.2f} × ({low:.2f} to {high:.2f})"


def format_verification(measured: dict[str, dict]) -> str:
    """A row for each experiment: what it costs to verify a traced step, and to look for changes.

    Args:
        measured: as `read_measurements` gives it, `{file: content}`.
    """
    rows = [COSTS_HEAD, "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for record in measured.values():
        for name, found in record.get("verification", {}).items():
            rows.append(
                f"| `{name}` | {found['step']:.1f} ms | {found['verify_train']:.1f} ms "
                f"| {found['verify_test']:.1f} ms | {found['percent_of_100_steps']:.2f} % "
                f"| {found['look']:.2f} ms |"
            )
    return "\n".join(rows)
