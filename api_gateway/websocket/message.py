"""Some events as one message, ready to be written to any number of WebSockets."""

from functools import cached_property

from websockets.frames import Frame, Opcode


class Message:
    """A message to clients.

    Args:
        text: JSON.
        events: how many events it holds; those that a client loses with it are counted.
    """

    def __init__(self, text: str, events: int) -> None:
        self.text = text
        self.events = events

    @cached_property
    def frame(self) -> bytes:
        """The message as it goes over the wire: a server's frames are not masked, so it is the same for all."""
        return Frame(Opcode.TEXT, self.text.encode()).serialize(mask=False)
