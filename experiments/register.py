"""register: notes the commit in which the rules of new or changed claims stand.

Commit the claims, run this, and commit `registered.py`. Rules that have not changed keep their
commit.

    python -m experiments.register
"""

import subprocess
import sys
from pathlib import Path

from experiments.__main__ import CLAIMS
from experiments.registered import REGISTERED
from keras_fmnist.claims.registration import add_claims, format_registered

FILE = Path(__file__).with_name("registered.py")


def _git(*words):
    done = subprocess.run(
        ["git", *words], cwd=FILE.parents[1], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def main() -> int:
    """Writes `registered.py` and returns an exit status."""
    if _git("status", "--porcelain", "--", "experiments", "keras_fmnist"):
        print(
            "commit the claims first: a rule is registered by the commit it is in", file=sys.stderr
        )
        return 2
    found = add_claims(CLAIMS, REGISTERED, _git("rev-parse", "HEAD"))
    heading, mark, _ = FILE.read_text("utf-8").partition("REGISTERED:")
    FILE.write_text(heading + mark + format_registered(found), "utf-8")
    new = sum(claim.registered is None for claim in CLAIMS)
    print(f"{new} of {len(CLAIMS)} claims registered now")
    return 0


if __name__ == "__main__":
    sys.exit(main())
