"""The description that a package index shows: the README, whose links to files lead to where they can be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

#: An image or a link in Markdown: its mark, its text and where it leads.
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]\[]*)\]\((?P<target>[^)\s]+)\)")
LEADS_SOMEWHERE = re.compile(r"[a-z]+:|#")


def description(readme: str, source: str | None, version: str) -> str:
    """
    Return a README in which no link is relative.

    :param readme: The README, in Markdown.
    :param source: Where the repository can be read, or None if that is not known: then of a link the text remains, and
        of an image nothing.
    :param version: The version, whose tag is ``v`` and this.
    """

    def absolute(link: re.Match[str]) -> str:
        if LEADS_SOMEWHERE.match(link["target"]):
            return link[0]
        if not source:
            return "" if link["image"] else link["text"]
        kind = "raw" if link["image"] else "blob"
        return f"{link['image']}[{link['text']}]({source.rstrip('/')}/{kind}/v{version}/{link['target']})"

    return LINK.sub(absolute, readme)


class Description(MetadataHookInterface):
    """Puts the description into the metadata, with the project's URL ``Source`` as the repository's address."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the description."""
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = description(readme, metadata.get("urls", {}).get("Source"), metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
