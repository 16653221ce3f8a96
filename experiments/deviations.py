"""The open questions: what the reports leave open or get wrong.

They are numbered from 1, and comments in the code cite them by number. docs/open_questions.md and
the page show this list. The texts are in `texts.toml`.
"""

from experiments.words import WORDS

DEVIATIONS = tuple(WORDS(f"deviation {number}") for number in range(1, 13))
