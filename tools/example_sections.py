"""An extension of Griffe that reads Keras' section `Example` as Google's `Examples`: code, and not text."""

import griffe


class ExampleSections(griffe.Extension):
    def on_object(self, *, obj, **_):
        if obj.docstring:
            obj.docstring.value = obj.docstring.value.replace("Example:\n", "Examples:\n")
