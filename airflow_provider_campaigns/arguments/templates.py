"""Templates as campaigns need them: plain text is never rendered, nothing renders to None, text stays text."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_campaigns.api.errors import InvalidRequest

if TYPE_CHECKING:
    import jinja2

#: The placeholders {{1}}, {{2}} ... of a WhatsApp template, which the vendor fills, not Jinja.
_PLACEHOLDER = re.compile(r"\{\{\s*\d+\s*\}\}")
_RENDERED_NOTHING = "is a template that rendered to None; leave the argument out, or give the template a default"


def is_template_text(text: str) -> bool:
    """Whether a text holds a Jinja expression or statement; a WhatsApp placeholder such as {{1}} is not one."""
    plain = _PLACEHOLDER.sub("", text) if "{{" in text else text
    return "{{" in plain or "{%" in plain or "{#" in plain


def is_reference(value: Any) -> bool:
    """Whether a value is another task's output, known only when the task runs."""
    return hasattr(value, "resolve") and hasattr(value, "iter_references")


def is_template(value: Any) -> bool:
    """Whether a value is known only when the task runs: a Jinja template, an XCom, or something that holds one."""
    if isinstance(value, str):
        return is_template_text(value)
    if isinstance(value, Mapping):
        return any(is_template(item) for item in value.values())
    if isinstance(value, (list, tuple, set)):
        return any(is_template(item) for item in value)
    return is_reference(value)


#: Texts that a template gives for a value that is missing: Python's, JSON's, and those of data frames.
_WORDS_FOR_NOTHING = frozenset(("None", "null", "nan", "NaN", "NaT", "<NA>"))


class _NotRendered(InvalidRequest):
    """A template gives nothing that can be sent; the text goes on after the name of the field."""


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NaTType", "NAType")


def _refuse_missing(value: Any) -> Any:
    """Refuse an expression's value that is None, NaN, or not defined even where the DAG lets that pass."""
    import jinja2

    if isinstance(value, jinja2.Undefined):
        value._fail_with_undefined_error()
    if _is_missing(value):
        raise _NotRendered(_RENDERED_NOTHING)
    return value


def _refuse_all_but_text(value: Any) -> Any:
    """Refuse an expression's value that has no text of its own: people would get a list as Python writes it."""
    if isinstance(value, (bytes, Collection)) and not isinstance(value, str):
        raise _NotRendered(
            f"is a template that gives a {type(value).__name__} where a text is wanted; take one value of it, or join "
            "them: {{ value | join(', ') }}"
        )
    return _refuse_missing(value)


class RendersAsWritten:
    """
    Has an operator render its template fields without guesses; to come before Airflow's base operator.

    A text without ``{{`` or ``{%`` reaches the vendor as it is written, also in a DAG with
    ``render_template_as_native_obj=True``, where Airflow would turn ``"1_000"`` into 1000. There, a template that is a
    single expression gives its object (a list, a number); any other gives text, and no text is read as Python. Refused
    with the name of the argument: an expression that gives None, NaN or something undefined; a list or a dict where a
    text is wanted; a template in a key of a dict; and None among the values that a mapped task is expanded over.
    """

    #: Template fields that may hold None wherever they like.
    may_render_to_none: Collection[str] = ()

    task_id: str
    _may_be_none = False
    _is_text = False

    @classmethod
    def text_template_fields(cls) -> Collection[str]:
        """Return the template fields whose templates give text, whatever an expression alone in them is."""
        return ()

    @classmethod
    def argument_of(cls, field: str) -> str:
        """Return the name of the argument that a template field was given as."""
        return field

    def render_template(
        self, content: Any, context: Any, jinja_env: jinja2.Environment | None = None, seen_oids: set[int] | None = None
    ) -> Any:
        """Render a text, another task's output, or a collection that holds such."""
        if isinstance(content, str):
            return self._rendered_text(content, context, jinja_env) if is_template_text(content) else content
        keys = content if isinstance(content, Mapping) and not self._may_be_none else ()
        if any(isinstance(key, str) and is_template_text(key) for key in keys):
            raise _NotRendered("has a template in a key of a dict, where none is rendered; write the key out")
        rendered = super().render_template(content, context, jinja_env, seen_oids)  # type: ignore[misc]
        if rendered is None and is_reference(content) and not self._may_be_none:
            sources = sorted({operator.task_id for operator, _ in content.iter_references()})
            raise _NotRendered(f"comes from task {', '.join(map(repr, sources))}, which gave none")
        return rendered

    def _rendered_text(self, text: str, context: Any, jinja_env: jinja2.Environment | None) -> Any:
        environment = jinja_env or self.get_template_env()  # type: ignore[attr-defined]
        refuse = _refuse_all_but_text if self._is_text else _refuse_missing
        strict = environment if self._may_be_none else environment.overlay(finalize=refuse)
        kept = _PLACEHOLDER.sub(lambda found: "{{ '" + found.group() + "' }}", text)
        template = strict.from_string(kept)
        names = copy.copy(context)
        names.update((name, value) for name, value in template.globals.items() if name not in names)
        try:
            # Not template.render: it would turn the context into a dict, with all that Airflow fetches only if asked.
            scope = strict.context_class(strict, names, template.name, template.blocks)
            pieces = list(template.root_render_func(scope))
        except Exception:
            # To name the template's line, jinja2 copies the context, which Airflow 2's cannot do.
            if not hasattr(names, "copy"):
                raise
            strict.handle_exception()
        # Native environments yield objects. One alone is what the author asked for; a text is never read as Python.
        rendered = pieces[0] if len(pieces) == 1 else "".join(map(str, pieces))
        if isinstance(rendered, str) and rendered.strip() in _WORDS_FOR_NOTHING and not self._may_be_none:
            raise _NotRendered(_RENDERED_NOTHING)
        return rendered

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], *args: Any, **kwargs: Any
    ) -> None:
        import jinja2

        from airflow_provider_campaigns.exceptions import CampaignRequestRefused

        texts = self.text_template_fields()
        # Not in render_template_fields, which Airflow does not call for a mapped task. One by one, to name the field.
        for name in template_fields:
            given = getattr(parent, name, None)
            self._may_be_none = name in self.may_render_to_none
            self._is_text = name in texts
            try:
                if given is None and not self._may_be_none:
                    self._refuse_expanded_none(name)
                super()._do_render_template_fields(parent, (name,), *args, **kwargs)  # type: ignore[misc]
            except _NotRendered as error:
                raise CampaignRequestRefused(f"Task {self.task_id!r}: {self.argument_of(name)} {error}.") from None
            except jinja2.TemplateError as error:
                raise CampaignRequestRefused(
                    f"Task {self.task_id!r}: {self.argument_of(name)} is a template that cannot be rendered: {error}."
                ) from None
            finally:
                self._may_be_none = self._is_text = False
            if name in texts and isinstance(given, str):
                setattr(parent, name, str(getattr(parent, name)))

    def _refuse_expanded_none(self, field: str) -> None:
        """Refuse None among the values of ``expand()``: it would drop the field of one mapped task in silence."""
        given: Mapping[str, Any] = getattr(self, "_BaseOperator__init_kwargs", {})
        name = self.argument_of(field)
        if getattr(self, "_BaseOperator__from_mapped", False) and name in given and given[name] is None:
            raise _NotRendered("is None in this mapped task; leave it out of expand(), or give each a value")
