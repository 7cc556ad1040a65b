"""Lets mkdocstrings read the Sphinx markup of this project's docstrings: references, ``seealso``, ``code-block``."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|meth|func|data|attr|mod):`(~?)([\w.]+)`")
_SEE_ALSO = re.compile(r"^\.\. seealso:: (\S+)$", re.MULTILINE)
_CODE_BLOCK = re.compile(r"^\.\. code-block:: python\n", re.MULTILINE)
#: A vendor's page that stands alone on a line, which Markdown would show as plain text.
_ADDRESS = re.compile(r"(?<![<(])(https://[\w./?=&%-]*[\w/])")


class SphinxRoles(griffe.Extension):
    """Turns the markup into Markdown before docstrings are parsed."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of each object that is loaded."""
        if obj.docstring:
            text = _SEE_ALSO.sub(r"See \1", obj.docstring.value)
            text = _CODE_BLOCK.sub("", text)
            text = _ROLE.sub(lambda role: _reference(obj, role[2], short=bool(role[1])), text)
            obj.docstring.value = _ADDRESS.sub(r"<\1>", text)


def _reference(obj: griffe.Object, name: str, *, short: bool) -> str:
    """Return a link to what a role names, or its name as code where no page shows it."""
    shown = name.rpartition(".")[2] if short else name
    if "." in name:
        return f"[`{shown}`][{name}]"
    scope: Any = obj
    while scope is not None:
        if name in scope.members and not name.startswith("_") and scope.members[name].has_docstring:
            return f"[`{shown}`][{scope.members[name].canonical_path}]"
        scope = scope.parent
    return f"`{shown}`"
