"""Words in English and Spanish: templates by key in a TOML file, filled with the same values.

Whatever the page says in two languages comes from such a file: `claims/texts.toml` for verdicts,
`reporting/page/texts.toml` for the page, `experiments/texts.toml` for what experiments say.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Text:
    """The same in both languages of the page; backticks and double asterisks as in Markdown."""

    english: str
    spanish: str


class Texts:
    """The templates of a package, `{key: {en: ..., es: ...}}`.

    Args:
        package: of the files.
        names: of the files, without `.toml`; a key is in one of them.
    """

    def __init__(self, package: str, *names: str) -> None:
        self.templates: dict[str, dict[str, str]] = {}
        for name in names or ("texts",):
            path = resources.files(package).joinpath(f"{name}.toml")
            self.templates |= tomllib.loads(path.read_text("utf-8"))

    def __call__(self, key: str, **values: str | int | Text) -> Text:
        """A text with its `{values}` filled in; a value may be a `Text` itself.

        Raises:
            KeyError: there is no such key, or a value is missing.
        """
        languages = self.templates[key]

        def fill(language, name):
            chosen = {k: getattr(v, name) if isinstance(v, Text) else v for k, v in values.items()}
            return languages[language].format(**chosen)

        return Text(fill("en", "english"), fill("es", "spanish"))


def join_texts(texts: Iterable[Text], between: str) -> Text:
    """Texts in a row, each language by itself."""
    texts = list(texts)
    return Text(
        between.join(text.english for text in texts), between.join(text.spanish for text in texts)
    )


def same_in_both(words: str) -> Text:
    """A name or a number, which has no language."""
    return Text(words, words)
