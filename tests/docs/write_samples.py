"""
Writes into the pages the code that they show, so that they can be read as they are, without building the site.

A sample is a piece of a file that a test runs. On a page, a comment names it and a fence after it holds it::

    <!-- sample: tests/docs/samples/altur.py:calls -->

A new sample may be written as ``--8<-- "file:section"`` alone in its fence; ``make samples`` then turns it into this.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
INCLUDED = re.compile(r'^(```[^\n]*)\n--8<-- "([^"]+)"\n```$', re.MULTILINE)
WRITTEN = re.compile(r"^<!-- sample: (\S+) -->\n\n(```[^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^[^\n]*--8<-- \[(?:start|end):\w+\][^\n]*\n", re.MULTILINE)


def sample(name: str) -> str:
    """
    Return a sample's text.

    :param name: The file, or ``file:section``.
    :raises ValueError: The file has no such section.
    """
    file, _, section = name.partition(":")
    text = (REPOSITORY / file).read_text()
    if section:
        found = re.search(rf"--8<-- \[start:{section}\][^\n]*\n(.*?)^[^\n]*--8<-- \[end:{section}\]", text, re.M | re.S)
        if not found:
            raise ValueError(f"{file} has no section {section}")
        text = textwrap.dedent(_SECTION.sub("", found[1]))
    return _SECTION.sub("", text).strip("\n") + "\n"


def written(page: str) -> str:
    """Return a page's text with all of its samples as they are now."""
    page = INCLUDED.sub(lambda found: f"<!-- sample: {found[2]} -->\n\n{found[1]}\n```", page)
    return WRITTEN.sub(lambda found: f"<!-- sample: {found[1]} -->\n\n{found[2]}\n{sample(found[1])}```", page)


def main() -> int:
    """Write all pages."""
    for path in sorted((REPOSITORY / "docs").rglob("*.md")):
        text = path.read_text()
        if written(text) != text:
            path.write_text(written(text))
            print(path.relative_to(REPOSITORY))
    return 0


if __name__ == "__main__":
    sys.exit(main())
