"""What the reports leave open, or get wrong: numbered from 1, as the comments in the code cite it.

docs/open_questions.md and the page show this list and no other; its texts stand in `texts.toml`.
"""

from experiments.words import WORDS

DEVIATIONS = tuple(WORDS(f"deviation {number}") for number in range(1, 13))
