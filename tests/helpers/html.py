"""A page of HTML as text and attributes."""

from html.parser import HTMLParser


class Reader(HTMLParser):
    """What a reader of English sees: the rows of all tables, texts, and every link."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.texts, self.links, self.silent = [], [], [], []
        self.in_cell = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.links += [(tag, attributes[name]) for name in ("src", "href") if name in attributes]
        if tag not in ("meta", "input", "img", "br"):
            foreign = attributes.get("lang") == "es" or tag in ("script", "style")
            self.silent.append(foreign or bool(self.silent and self.silent[-1]))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag):
        self.silent.pop()
        if tag in ("td", "th"):
            self.rows[-1][-1] = " ".join(self.rows[-1][-1].split())
            self.in_cell = False

    def handle_data(self, data):
        if self.silent and self.silent[-1]:
            return
        self.texts.append(data)
        if self.in_cell:
            self.rows[-1][-1] += data

    def row(self, *starts):
        """The first row whose first cells begin so."""
        return next(
            row
            for row in self.rows
            if len(row) >= len(starts)
            and all(cell.startswith(start) for cell, start in zip(row, starts, strict=False))
        )
