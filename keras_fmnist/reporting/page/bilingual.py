"""The page's words in English and Spanish, and HTML that carries both and shows one.

Text is written twice, each in an element with its `lang`; the page's style shows the one that the
whole page is in. What cannot hold elements (an attribute, an option) is exchanged by the script.
"""

import re

from markupsafe import Markup, escape

from keras_fmnist.claims.texts import Text, Texts, same_in_both

# The words of the pages, by key.
text = Texts(__package__, "texts", "live")


def translate(phrase: str) -> Text:
    """What `compare` wrote in English; a number or a name of the libraries is the same in both."""
    key = f"compare {phrase}"
    return text(key) if key in text.templates else same_in_both(phrase)


def both(words: Text) -> Markup:
    """HTML with both languages; backticks become code, double asterisks emphasis."""
    english, spanish = _inline(words.english), _inline(words.spanish)
    if english == spanish:
        return english
    return Markup('<span lang="en">{}</span><span lang="es">{}</span>').format(english, spanish)


def in_english(words: str) -> Markup:
    """HTML of what there is in English alone."""
    return Markup('<span class="plain" lang="en">{}</span>').format(_inline(words))


def _inline(words):
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(words)))
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html))


def attribute(name: str, words: Text) -> Markup:
    """An attribute in English, with what the script needs to exchange it."""
    form = '{0}="{1}" data-exchange="{0}" data-en="{1}" data-es="{2}"'
    return Markup(form).format(Markup(name), words.english, words.spanish)


def content(words: Text) -> Markup:
    """What makes the script exchange an element's text, for an option or a title."""
    return Markup('data-exchange="text" data-en="{}" data-es="{}"').format(
        words.english, words.spanish
    )
