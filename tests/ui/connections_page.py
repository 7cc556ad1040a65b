"""Airflow's page of connections with its form, as a user sees and handles them in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from selenium.common.exceptions import ElementNotInteractableException, WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from whole_airflow import until

#: Seconds for what a page does by itself.
PATIENCE = 30.0
#: What the form's two sections are called, and which fields the first one may have.
STANDARD, EXTRA = "Standard Fields", "Extra Fields"
STANDARD_FIELDS = ("description", "host", "login", "password", "port", "schema")
#: Airflow's messages are gone after a second or two; here they stay.
_KEEP_MESSAGES = """
window.messages = [];
const known = new Set();
new MutationObserver(() => {
    for (const toast of document.querySelectorAll('[data-scope=toast][data-part=root]')) {
        const [title, text] = ['title', 'description'].map(
            part => toast.querySelector(`[data-part=${part}]`)?.textContent);
        if (title && text && !known.has(toast.id)) {
            known.add(toast.id);
            window.messages.push([title, text]);
        }
    }
}).observe(document.body, {childList: true, subtree: true, characterData: true});
"""


@dataclass(frozen=True)
class Field:
    """
    A field as it is shown.

    :param label: What it is called.
    :param required: Whether it is marked as required.
    :param help: The text below it.
    :param kind: ``text``, ``textarea``, ``password`` (nobody can read it), ``number``, ``switch`` or ``dropdown``.
    :param value: What it holds: a text, or of a switch whether it is on.
    :param placeholder: What it shows while it is empty.
    """

    label: str
    required: bool = False
    help: str = ""
    kind: str = "text"
    value: str | bool = ""
    placeholder: str = ""


class ConnectionsPage:
    """
    The page of connections.

    :param browser: The browser.
    :param url: Airflow's URL.
    """

    def __init__(self, browser: WebDriver, url: str) -> None:
        self._browser = browser
        self._url = f"{url}/connections"

    def open(self) -> Self:
        """Load the page anew."""
        self._browser.get(self._url)
        until("the page is there", self._add_buttons, PATIENCE)
        self._browser.execute_script(_KEEP_MESSAGES)
        return self

    def add(self, type_name: str) -> ConnectionForm:
        """Open the form for a new connection of a type, by the name that is shown."""
        self._add_buttons()[0].click()
        form = ConnectionForm(self._browser)
        form.choose("conn_type", type_name)
        return form

    def edit(self, conn_id: str) -> ConnectionForm:
        """Open the form of a connection that exists."""
        self._button(conn_id, "Edit Connection").click()
        return ConnectionForm(self._browser)

    def test(self, conn_id: str) -> tuple[str, str]:
        """Press a connection's Test button; return the title and the text of the message that comes."""
        before = len(self._messages())
        self._button(conn_id, "Test Connection").click()
        until("the test's message is there", lambda: len(self._messages()) > before, PATIENCE)
        title, text = self._messages()[-1]
        return title, text

    def html(self) -> str:
        """Return all that the page holds, with what has been typed or filled in."""
        values = "return [...document.querySelectorAll('input, textarea')].map(one => one.value).join('\\n')"
        return str(self._browser.execute_script(values)) + self._browser.page_source

    def _add_buttons(self) -> list[WebElement]:
        return self._browser.find_elements(By.XPATH, "//button[normalize-space()='Add Connection']")

    def _button(self, conn_id: str, name: str) -> WebElement:
        path = f"//tr[.//*[normalize-space()='{conn_id}']]//button[@aria-label='{name}']"
        found: list[WebElement] = until(
            f"{conn_id} is listed", lambda: self._browser.find_elements(By.XPATH, path), PATIENCE
        )
        return found[0]

    def _messages(self) -> list[list[str]]:
        messages: list[list[str]] = self._browser.execute_script("return window.messages")
        return messages


class ConnectionForm:
    """
    The form of a connection, which is open.

    :param browser: The browser.
    """

    def __init__(self, browser: WebDriver) -> None:
        self._browser = browser
        until("the form is there", lambda: self._elements("[name=connection_id]"), PATIENCE)

    def fields(self, section: str) -> dict[str, Field]:
        """Return what a section shows, by the fields' names."""
        shown = {}
        for root in self._open(section).find_elements(By.CSS_SELECTOR, "[data-scope=field][data-part=root]"):
            (named,) = root.find_elements(By.CSS_SELECTOR, "[name]")
            shown[_attribute(named, "name").removeprefix("element_")] = _field(root, named)
        return shown

    def fill(self, values: Mapping[str, Any]) -> None:
        """Put values into fields by their names, as a user does: text is typed, a switch set, an option chosen."""
        for name, value in values.items():
            named = self._named(name)
            if isinstance(value, bool):
                if named.is_selected() != value:
                    named.find_element(By.XPATH, "..").click()
            elif named.get_attribute("type") == "hidden":
                self.choose(name, value)
            else:
                until(f"{name} holds what is typed", partial(self._type, named, str(value)), PATIENCE)

    def _type(self, named: WebElement, text: str) -> bool:
        """Type a text into a field; return whether it is there, since a number field may lose a character of haste."""
        named.send_keys(Keys.CONTROL, "a")
        named.send_keys(text)
        return named.get_attribute("value") == text

    def options(self, name: str) -> list[str]:
        """Open a dropdown and return what it offers."""
        self._press(name, Keys.ARROW_DOWN)
        options = until("there are options", lambda: self._browser.find_elements(By.CSS_SELECTOR, "[role=option]"))
        return [option.text for option in options]

    def choose(self, name: str, text: str) -> None:
        """Choose the option of a dropdown that reads exactly so; ``conn_type`` is the connection's type."""
        self._press(name, text)

        def chosen() -> bool:
            for option in self._browser.find_elements(By.CSS_SELECTOR, "[role=option]"):
                if option.text == text:
                    option.click()
                    return True
            return False

        until(f"{text} is offered", chosen, PATIENCE)

    def _press(self, name: str, keys: str) -> None:
        """Press keys in a dropdown as soon as it takes them: the form may still be coming up."""

        def pressed() -> bool:
            try:
                self._dropdown(name).send_keys(keys)
            except ElementNotInteractableException:
                return False
            return True

        until(f"{name} takes keys", pressed, PATIENCE)

    def can_be_saved(self) -> bool:
        """Whether the Save button can be pressed."""
        return self._save_button().is_enabled()

    def save(self) -> None:
        """Press Save and wait until the form is gone."""
        until("Save can be pressed", self.can_be_saved, PATIENCE)
        self._save_button().click()
        until("the form is gone", lambda: not self._elements("[name=connection_id]"), PATIENCE)

    def picture(self) -> bytes:
        """Return the form as PNG, with both sections open; Airflow itself shows one at a time."""
        self._open(EXTRA)
        standard = self._region(STANDARD)
        script = "arguments[0].hidden = false; arguments[0].dataset.state = 'open'; document.activeElement.blur()"
        self._browser.execute_script(script, standard)
        until("nothing moves", lambda: self._is_still(standard), PATIENCE)
        return self._elements("")[0].screenshot_as_png

    def _open(self, section: str) -> WebElement:
        """Return a section, opened."""
        region = self._region(section)

        def is_open() -> bool:
            trigger = self._browser.find_element(By.ID, _attribute(region, "aria-labelledby"))
            if trigger.get_attribute("aria-expanded") != "true":
                trigger.click()
            return region.is_displayed() and self._is_still(region)

        until(f"{section} is open", is_open, PATIENCE)
        return region

    def _is_still(self, region: WebElement) -> bool:
        """Whether a section has grown to its height; what is clicked before that is not where it was."""
        script = "return arguments[0].getAnimations({subtree: true}).length === 0"
        return bool(self._browser.execute_script(script, region))

    def _region(self, section: str) -> WebElement:
        triggers = self._elements("[data-scope=accordion][data-part=item-trigger]")
        (trigger,) = [one for one in triggers if one.text.strip() == section]
        return self._browser.find_element(By.ID, _attribute(trigger, "aria-controls"))

    def _named(self, name: str) -> WebElement:
        """Return the input of a field, in its section, opened."""
        if name == "connection_id":
            return self._elements("[name=connection_id]")[0]
        standard = name in STANDARD_FIELDS
        region = self._open(STANDARD if standard else EXTRA)
        return region.find_element(By.CSS_SELECTOR, f"[name={name if standard else 'element_' + name}]")

    def _dropdown(self, name: str) -> WebElement:
        if name == "conn_type":
            return self._elements("input[role=combobox][aria-required=true]")[0]
        return self._named(name).find_element(By.XPATH, "..//input[@role='combobox']")

    def _save_button(self) -> WebElement:
        return next(button for button in self._elements("button") if button.text.strip() == "Save")

    def _elements(self, selector: str) -> list[WebElement]:
        return self._browser.find_elements(By.CSS_SELECTOR, f"[role=dialog] {selector}".strip())


def _field(root: WebElement, named: WebElement) -> Field:
    label = root.find_element(By.CSS_SELECTOR, "[data-part=label]")
    helps = root.find_elements(By.CSS_SELECTOR, "[data-part=helper-text]")
    kind = named.get_attribute("type") or "text"
    if named.get_attribute("role") == "spinbutton":
        kind = "number"
    kind = {"hidden": "dropdown", "checkbox": "switch"}.get(kind, kind)
    marked = label.text.endswith("*")
    return Field(
        label=label.text.removesuffix("*").strip(),
        required=marked,
        help="\n".join(one.text for one in helps),
        kind=kind,
        value=named.is_selected() if kind == "switch" else _attribute(named, "value"),
        placeholder=named.get_attribute("placeholder") or "",
    )


def _attribute(element: WebElement, name: str) -> str:
    value = element.get_attribute(name)
    if value is None:
        raise WebDriverException(f"The element has no {name}: {element.get_attribute('outerHTML')}")
    return value
