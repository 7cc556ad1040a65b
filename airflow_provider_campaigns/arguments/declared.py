"""Arguments declared as data: checked when the DAG is parsed, as far as they show, and read when the task runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from airflow_provider_campaigns.api.errors import InvalidRequest
from airflow_provider_campaigns.arguments.kinds import ArgumentKind, shown, strictly
from airflow_provider_campaigns.arguments.templates import RendersAsWritten, is_template

#: What other providers, and people, call an argument whose name here is unlike: the first that there is was meant.
_RECIPIENTS = ("contacts", "contact_lists", "leads_asset_url")
_MESSAGE = ("message", "text_raw", "first_message")
_ELSEWHERE_CALLED: Mapping[str, tuple[str, ...]] = {
    "wait_for_completion": ("wait_until",),
    "polling_interval": ("poll_interval",),
    "target_status": ("until", "wait_until"),
    **dict.fromkeys(("recipients", "phone_numbers", "phones", "numbers", "to", "leads", "file"), _RECIPIENTS),
    **dict.fromkeys(("message", "text", "body", "content", "sms"), _MESSAGE),
    **dict.fromkeys(("send_at", "start_at", "scheduled_at", "schedule_at", "schedule"), ("scheduled_to", "schedule")),
    "batch_size": ("chunk_size",),
}
#: Airflow's own switches, which it takes from any text as switched on.
_AIRFLOWS_BOOLEANS = (
    *("depends_on_past", "wait_for_downstream", "ignore_first_depends_on_past", "do_xcom_push", "soft_fail"),
    *("never_fail", "silent_fail", "exponential_backoff", "allow_nested_operators", "email_on_retry"),
    *("email_on_failure", "retry_exponential_backoff", "show_return_value_in_logs"),
)


class UnknownArgument(InvalidRequest, TypeError):
    """An argument that the operator does not have; the message names the one that was probably meant."""


class DeclaredArguments(RendersAsWritten):
    """
    Gives an operator or a sensor its arguments by kind; to come before Airflow's base class.

    ``arguments`` names the kind of each argument. A constructor checks what it can see within :meth:`checking`, and
    ``execute`` reads what it uses with :meth:`argument`, once the templates are rendered. Errors name task, argument
    and what is allowed. In a mapped task, whose constructor runs when the task does, they are never retried.
    """

    arguments: ClassVar[Mapping[str, ArgumentKind]] = {}
    #: The attribute of each argument that could not be kept under its own name, which Airflow's operators use.
    kept_as: ClassVar[Mapping[str, str]] = {}
    #: Whether the result is a mapping whose entries may become XComs of their own.
    has_multiple_outputs: ClassVar[bool] = False

    def __init__(self, **kwargs: Any) -> None:
        if kwargs.get("multiple_outputs") and not self.has_multiple_outputs:
            raise self._refused(
                kwargs.get("task_id"),
                "multiple_outputs=True does not work here: the result is one value. Read the parts of a receipt from "
                "XCom 'campaign'.",
            )
        try:
            super().__init__(**kwargs)
        except Exception as error:
            # A TypeError, and up to Airflow 2 an AirflowException.
            if "Invalid arguments were passed" not in str(error):
                raise
            # Airflow's own text repeats the values, which may be recipients.
            text = self._unknown(kwargs)
        else:
            self._check_airflows(kwargs.get("default_args") or {})
            return
        raise self._refused(kwargs.get("task_id"), text, UnknownArgument)

    @classmethod
    def argument_of(cls, field: str) -> str:
        """Return the name of the argument that a template field was given as."""
        return next((name for name, kept in cls.kept_as.items() if kept == field), field)

    @classmethod
    def check_given(cls, given: Mapping[str, Any]) -> None:
        """
        Refuse those arguments that can be seen to be wrong; templates are left until they are rendered.

        :param given: Arguments by name.
        :raises InvalidRequest: Names the argument and what is allowed.
        """
        for name, kind in cls.arguments.items():
            if name in given and not cls.is_rendered_later(name, given[name]):
                strictly(kind, name, given[name])

    @classmethod
    def is_rendered_later(cls, name: str, value: Any) -> bool:
        """Whether an argument is a template, or another task's output, in a field that Airflow renders."""
        return is_template(value) and cls.kept_as.get(name, name) in getattr(cls, "template_fields", ())

    @classmethod
    def partial(cls, **kwargs: Any) -> Any:
        """Return Airflow's ``OperatorPartial``, with the arguments that are the same for all mapped tasks checked."""
        try:
            cls.check_given(kwargs)
        except InvalidRequest as error:
            raise InvalidRequest(f"Task {kwargs.get('task_id')!r}: {error}") from None
        # Written out, None means "not given"; among the values of expand() it is refused when the task runs.
        rendered = getattr(cls, "template_fields", ())
        given = {
            name: value
            for name, value in kwargs.items()
            if value is not None or cls.kept_as.get(name, name) not in rendered
        }
        return super().partial(**given)  # type: ignore[misc]

    @contextmanager
    def checking(self) -> Iterator[None]:
        """Check arguments in a constructor: an error names the task, and is not retried where the task runs already."""
        try:
            yield
        except InvalidRequest as error:
            refused = self._refused(getattr(self, "task_id", None), str(error), type(error))
        else:
            return
        raise refused

    def argument(self, name: str) -> Any:
        """
        Return a declared argument as it counts, once the task's templates are rendered.

        :raises InvalidRequest: Names the argument and what is allowed.
        """
        return self.arguments[name].read(name, getattr(self, self.kept_as.get(name, name)))

    def read_all_arguments(self) -> None:
        """
        Read all declared arguments, so that no wrong one is met when requests were made already.

        :raises InvalidRequest: Names the argument and what is allowed.
        """
        for name in self.arguments:
            self.argument(name)

    def given_arguments(self) -> dict[str, Any]:
        """Return the declared arguments as they were given."""
        return {name: getattr(self, self.kept_as.get(name, name)) for name in self.arguments}

    def check_visible_arguments(self) -> None:
        """Refuse at parse time what can be seen to be wrong; called by a constructor when all is assigned."""
        with self.checking():
            self.check_given(self.given_arguments())

    def _check_airflows(self, default_args: Mapping[str, Any]) -> None:
        """Refuse texts for Airflow's own switches, and misspelt defaults, which Airflow passes over."""
        task_id = getattr(self, "task_id", None)
        for name in _AIRFLOWS_BOOLEANS:
            value = getattr(self, name, None)
            if isinstance(value, str):
                raise self._refused(task_id, f"{name} must be True or False; got the text {shown(value)}.")
        known = {_folded(name): name for name in (*self.arguments, *getattr(self, "create_fields", ()))}
        for name in default_args:
            meant = known.get(_folded(name), name)
            # Others' arguments may stand there as well, so only what differs in nothing else is a slip.
            if meant != name and name not in known.values():
                raise self._refused(task_id, f"default_args has {name!r}. Did you mean {meant!r}?", UnknownArgument)

    def _refused(self, task_id: Any, text: str, kind: type[InvalidRequest] = InvalidRequest) -> Exception:
        named = text if text.startswith("Task ") else f"Task {task_id!r}: {text}"
        if getattr(self, "_BaseOperator__from_mapped", False):
            from airflow_provider_campaigns.exceptions import CampaignRequestRefused

            return CampaignRequestRefused(named)
        return kind(named)

    @classmethod
    def _unknown(cls, kwargs: Mapping[str, Any]) -> str:
        known = cls._argument_names()
        unknown = sorted(name for name in kwargs if name not in known)
        name = unknown[0] if unknown else "?"
        meant = _meant(name, known)
        hint = f" Did you mean {meant!r}?" if meant else ""
        return f"{cls.__name__} has no argument {name!r}.{hint}"

    @classmethod
    def _argument_names(cls) -> set[str]:
        import inspect

        return {
            name
            for base in cls.__mro__
            if "__init__" in vars(base)
            for name in inspect.signature(vars(base)["__init__"]).parameters
            if name not in ("self", "args", "kwargs")
        }


def _meant(name: str, known: set[str]) -> str | None:
    # Here, since parsing a DAG file without mistakes needs none of it.
    import difflib

    elsewhere = next((one for one in _ELSEWHERE_CALLED.get(name, ()) if one in known), None)
    if elsewhere:
        return elsewhere
    folded = {_folded(one): one for one in sorted(known)}
    found = difflib.get_close_matches(_folded(name), folded, n=1, cutoff=0.65)
    return folded[found[0]] if found else None


def _folded(name: str) -> str:
    """Return a name without case and underscores, so that the vendor's own spelling (leadsAssetUrl) is found too."""
    return name.replace("_", "").lower()
