"""Keys that arrive in one packet must act in the order in which they were typed.

Textual gives a key to the focused widget first and looks bindings up when the widget has let it go; by then the keys
behind it have been taken as text. Over a slow link several keys to a packet are usual, so the widgets one types into
run their own bindings here and now.
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.binding import Binding
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

# A cursor that blinks sends bytes twice a second to somebody who only thinks.
STEADY_CURSOR: reactive[bool] = reactive(False, init=False)


def actions_of(widget_class: type[Widget]) -> dict[str, str]:
    """Key -> action of the bindings that a stock widget class declares itself."""
    bindings = (binding for binding in widget_class.BINDINGS if isinstance(binding, Binding))
    return {key.strip(): binding.action for binding in bindings for key in binding.key.split(",")}


async def act_now(widget: Widget, event: events.Key, actions: dict[str, str]) -> None:
    """Run the action of a key, if it has one, before the next key is looked at."""
    action = actions.get(event.key)
    if action is not None:
        event.stop()
        event.prevent_default()
        await widget.run_action(action)


def hand_back(widget: Widget, event: events.Key) -> None:
    """Give a key that was typed ahead, and is not meant for this widget any more, to whoever has the keys now."""
    event.stop()
    event.prevent_default()
    widget.app.post_message(typed_again(event))


def focus_behind_keys(screen: Screen[Any], field: Widget, typed_ahead: list[events.Key | events.Paste]) -> None:
    """Give a field of a new screen the keys once the screen has taken all that came before there was a field: in their
    order, and none of them twice."""
    if screen.message_queue_size:
        # Some may be among these: they were sent to the screen before the field had the focus.
        screen.call_later(focus_behind_keys, screen, field, typed_ahead)
        return
    screen.set_focus(field)
    for event in typed_ahead:
        field.post_message(typed_again(event))


def typed_again(event: events.Key | events.Paste) -> events.Key | events.Paste:
    """The same keys anew: an event that was handed to one widget is not taken by another."""
    return events.Paste(event.text) if isinstance(event, events.Paste) else events.Key(event.key, event.character)
