"""What the campaign decorators share: a function returns the campaign's fields, the create operator launches it."""

from __future__ import annotations

import inspect
from collections import UserDict, UserList
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.providers.common.compat.sdk import (
    DecoratedOperator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.api.redaction import redacted
from airflow_provider_campaigns.exceptions import airflow_errors
from airflow_provider_campaigns.operators.create import CreateCampaignOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import TaskDecorator
    from airflow.sdk import Context


class CampaignDecoratedOperator(DecoratedOperator, CreateCampaignOperator):
    """
    Launches the campaign whose fields a function returns, exactly once, as the create operator does; returns its id.

    The fields that are given to the decorator are the same for every run and are checked when the DAG is parsed. What
    the function returns is added when the task runs and checked before anything is sent. It is data and is never
    rendered as a template: a customer's name may hold braces. A field may come from one of the two only; a field in
    ``default_args`` gives way to the function's. All other arguments of the create operator go to the decorator.

    The function is called on every try, also on one that goes on with a campaign launched before, and again when a send
    window has opened. So it must return the same for the same run: no clock, no chance; data that changes belongs in a
    task upstream, whose result stays. What differs from what an earlier try meant is refused with ``LaunchConflict``.
    After a wait for the campaign the function is not called again.

    The task's XCom is the campaign's id, so that a sensor takes ``campaign_id=launch()``; the receipt is XCom
    ``campaign``, ``launch()["campaign"]``. The function's arguments may well be recipients: what Airflow keeps of the
    rendered templates has their types only.

    :param python_callable: The function, which returns a mapping of fields by the operator's argument names.
    :param op_args: Its positional arguments. (templated)
    :param op_kwargs: Its keyword arguments. (templated)
    :raises CampaignRequestRefused: Of the function: something else than a mapping, an unknown field, one that the
        decorator gave as well, or a required one that neither gave. Nothing was sent; not retried.
    """

    #: What the decorator is called in a DAG file.
    custom_operator_name: ClassVar[str]
    # Rendered again after execute: before the function was called there was nothing to store.
    overwrite_rtif_after_execution: bool = True
    # The function's arguments are data: any of them may be None.
    may_render_to_none: Collection[str] = ("op_args", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._given = frozenset(name for name in self.returnable_fields() if kwargs.get(name) is not None)
        defaults = kwargs.get("default_args") or {}
        # The function may return these when the task runs, so they are not missing yet.
        not_given = {*self.required_fields()} - {*kwargs, *defaults}
        kwargs |= dict.fromkeys(not_given)
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, **kwargs)
        self.may_render_to_none = (*type(self).may_render_to_none, *not_given)

    @classmethod
    def returnable_fields(cls) -> tuple[str, ...]:
        """Return the names of what the function may return: all that is the campaign's and not the task's."""
        of_the_task = {*DecoratedOperator.template_fields, *CreateCampaignOperator.template_fields}
        return (*(name for name in cls.template_fields if name not in of_the_task), "extra_fields")

    @classmethod
    def required_fields(cls) -> tuple[str, ...]:
        """Return the names of the fields that the create operator asks for."""
        operator = next(
            one
            for one in cls.__mro__
            if issubclass(one, CreateCampaignOperator) and not issubclass(one, DecoratedOperator)
        )
        arguments = inspect.signature(operator.__init__).parameters.values()
        return tuple(one.name for one in arguments if one.kind is one.KEYWORD_ONLY and one.default is one.empty)

    def render_template(self, content: Any, *args: Any, **kwargs: Any) -> Any:
        """Render as the create operator does; the function's arguments are kept from being shown."""
        rendered = super().render_template(content, *args, **kwargs)
        if content is self.op_kwargs:
            return _NamedArguments(rendered)
        return _Arguments(rendered) if content is self.op_args else rendered

    def taken(self, name: str, value: Any) -> Any:
        """
        Return what is kept of a field that the function returned.

        :param name: The field.
        :param value: What the function returned.
        """
        return value

    def execute(self, context: Context) -> str:
        """Call the function, take the fields that it returns, and launch the campaign."""
        with airflow_errors():
            # The launch relies on Airflow's own context, so an argument of the same name must not replace it.
            context_merge(context, {name: value for name, value in self.op_kwargs.items() if name not in context})
            known = determine_kwargs(self.python_callable, self.op_args, context)
            self._take(self.python_callable(*self.op_args, **{**known, **self.op_kwargs}))
        campaign_id: str = super().execute(context)
        return campaign_id

    def _take(self, returned: object) -> None:
        task = f"Task {self.task_id!r}"
        if not isinstance(returned, Mapping):
            raise InvalidRequest(
                f"{task}: the function must return the campaign's fields as a dict; it returned a "
                f"{type(returned).__name__}."
            )
        allowed = self.returnable_fields()
        unknown = sorted(redacted(str(name), (), limit=40) for name in returned if name not in allowed)
        if unknown:
            raise InvalidRequest(
                f"{task}: the function returned {unknown[0]!r}, which is no field of the campaign. It may return "
                f"{', '.join(allowed)}; other arguments belong to the decorator."
            )
        twice = [name for name in allowed if name in returned and name in self._given]
        if twice:
            raise InvalidRequest(f"{task}: both the function and the decorator give {', '.join(twice)}; only one may.")
        for name, value in returned.items():
            setattr(self, name, self.taken(name, value))
        missing = [name for name in self.required_fields() if getattr(self, name) is None]
        if missing:
            raise InvalidRequest(
                f"{task}: {', '.join(missing)} must be returned by the function or given to the decorator."
            )
        empty = [name for name, value in returned.items() if value is None]
        if empty:
            raise InvalidRequest(f"{task}: the function returned None for {', '.join(empty)}; leave such a field out.")
        self.check_guards()


def campaign_task(
    operator: type[CampaignDecoratedOperator],
    python_callable: Callable[..., Any] | None,
    multiple_outputs: bool | None,
    arguments: Mapping[str, Any],
) -> TaskDecorator:
    """
    Return the decorator of an operator, or the decorated function if there is one already.

    :param operator: The decorated operator's class.
    :param python_callable: The function, None when the decorator has arguments.
    :param multiple_outputs: Anything but True. What the function returns is no XCom, so its annotation as a dict does
        not count.
    :param arguments: The decorator's other arguments.
    :raises InvalidRequest: Outputs were asked for that the task does not have.
    """
    if multiple_outputs:
        raise InvalidRequest(
            f"{operator.custom_operator_name}: multiple_outputs does not go with a launch, whose XCom is the "
            "campaign's id. The receipt is XCom 'campaign': launch()['campaign']."
        )
    return task_decorator_factory(
        python_callable=python_callable, multiple_outputs=False, decorated_operator_class=operator, **arguments
    )


def _shown(value: Any) -> str:
    kind = type(value).__name__
    return f"<{kind} of {len(value)}>" if isinstance(value, Collection) and not isinstance(value, str) else f"<{kind}>"


class _Arguments(UserList[Any]):
    """Positional arguments that show their types and nothing else."""

    def __repr__(self) -> str:
        return f"[{', '.join(map(_shown, self))}]"


class _NamedArguments(UserDict[str, Any]):
    """The same for keyword arguments."""

    def __repr__(self) -> str:
        return f"{{{', '.join(f'{name}: {_shown(value)}' for name, value in self.items())}}}"
