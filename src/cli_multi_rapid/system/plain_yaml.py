"""Read YAML of other programs as text, lists and mappings: quickly and without types.

What people write for us is read by `system.yaml`, which knows the place of everything.
"""

from typing import Any

from yaml import YAMLError
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the documented place of libyaml's parser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

_MAX_DEPTH = 100
_Event = Any  # an event of libyaml: which attributes it has depends on its class


class YamlRefused(ValueError):
    """The text is not valid YAML, too deep, or has several documents."""


def read_plain(data: bytes) -> object:
    """Return the one document of a YAML text. Every scalar is text as it is written: `1.10` stays `1.10`.

    A key that stands twice has its last value; keys that are no text are refused. What an alias repeats is the same
    object again, so that a small text can stand for a very large value: count what you read.

    Raises:
        YamlRefused: it cannot be read so.
    """
    parser = CParser(data)
    try:
        return _Builder().document(parser)
    except YAMLError as problem:
        raise YamlRefused(" ".join(str(problem).split())) from problem
    finally:
        parser.dispose()


class _Builder:
    """Builds values from events; around the present list or mapping are others, with the keys they wait at."""

    def __init__(self) -> None:
        self._anchors: dict[str, object] = {}
        self._top: list[object] = []
        self._here: Any = self._top
        self._key: str | None = None
        self._around: list[tuple[Any, str | None]] = []

    def document(self, parser: Any) -> object:
        documents = 0
        while event := parser.get_event():
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event.value, event.anchor)
            elif kind is MappingStartEvent:
                self._enter({}, event.anchor)
            elif kind is SequenceStartEvent:
                self._enter([], event.anchor)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._here, self._key = self._around.pop()
            elif kind is AliasEvent:
                self._repeat(event.anchor)
            documents += kind is DocumentStartEvent
            if documents > 1:
                raise YamlRefused("it holds several documents")
        return self._top[0] if self._top else None

    def _scalar(self, text: str, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = text
        if type(self._here) is dict and self._key is None:
            self._key = text
        else:
            self._put(text)

    def _enter(self, value: Any, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = value
        if type(self._here) is dict and self._key is None:
            raise YamlRefused("a key is no text")
        if len(self._around) >= _MAX_DEPTH:
            raise YamlRefused("it is nested too deeply")
        self._put(value)
        self._around.append((self._here, self._key))
        self._here, self._key = value, None

    def _repeat(self, anchor: str) -> None:
        if anchor not in self._anchors:
            raise YamlRefused(f"there is nothing that *{anchor} could repeat")
        value = self._anchors[anchor]
        if isinstance(value, str):
            self._scalar(value, None)
        elif type(self._here) is dict and self._key is None:
            raise YamlRefused("a key is no text")
        else:
            self._put(value)

    def _put(self, value: object) -> None:
        if type(self._here) is dict:
            self._here[self._key] = value
            self._key = None
        else:
            self._here.append(value)
