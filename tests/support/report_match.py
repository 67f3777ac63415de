"""Compares a JSON report with what a test expects of it.

An expectation is a subset: every key it names must be there with an equal value. Lists must have
the same length and order. In place of a value:

    {"about": ns, "tolerance": ns}   a number that near
    {"contains": [...]}              a list with each of these somewhere in it
    {"lacks": [...]}                 a list with none of these in it
    {"text": "..."}                  a text with this in it
    {"not": ...}                     anything else

Standard library only.
"""

import json


class Matcher:
    """`slack_ns`: how far any number under a key that ends in _ns may be off."""

    def __init__(self, slack_ns=0):
        self.slack_ns = slack_ns

    def differences(self, want, got, path="", time=False):
        """Lines "PATH: want W, got G"; none when the report is as expected."""
        if isinstance(want, dict):
            return self._object(want, got, path, time)
        if isinstance(want, list):
            return self._list(want, got, path, time)
        if self._equal(want, got, self.slack_ns if time else 0):
            return []
        return [f"{path}: want {show(want)}, got {show(got)}"]

    def _object(self, want, got, path, time):
        if "about" in want:
            slack = want.get("tolerance", 0) + (self.slack_ns if time else 0)
            if self._equal(want["about"], got, slack):
                return []
            return [f"{path}: want {want['about']} +- {slack}, got {show(got)}"]
        if "text" in want and len(want) == 1:
            if isinstance(got, str) and want["text"] in got:
                return []
            return [f"{path}: want a text with {show(want['text'])}, got {show(got)}"]
        if "not" in want and len(want) == 1:
            if self.differences(want["not"], got, path, time):
                return []
            return [f"{path}: want anything but {show(want['not'])}"]
        if "contains" in want or "lacks" in want:
            return self._members(want, got, path, time)
        if not isinstance(got, dict):
            return [f"{path}: want an object, got {show(got)}"]
        found = []
        for key, value in want.items():
            inside = f"{path}.{key}" if path else key
            if key not in got:
                found.append(f"{inside}: want {show(value)}, got nothing: no such key")
            else:
                is_time = time or key.endswith("_ns")
                found += self.differences(value, got[key], inside, is_time)
        return found

    def _members(self, want, got, path, time):
        if not isinstance(got, list):
            return [f"{path}: want a list, got {show(got)}"]
        found = []
        for value in want.get("contains", []):
            if all(self.differences(value, item, path, time) for item in got):
                found.append(f"{path}: want a member {show(value)}, got {show(got)}")
        for value in want.get("lacks", []):
            for index, item in enumerate(got):
                if not self.differences(value, item, path, time):
                    found.append(f"{path}[{index}]: want no member {show(value)}")
        return found

    def _list(self, want, got, path, time):
        if not isinstance(got, list):
            return [f"{path}: want a list, got {show(got)}"]
        if len(want) != len(got):
            return [f"{path}: want {len(want)} member(s), got {len(got)}: {show(got)}"]
        found = []
        for index, (w, g) in enumerate(zip(want, got)):
            found += self.differences(w, g, f"{path}[{index}]", time)
        return found

    @staticmethod
    def _equal(want, got, slack):
        if isinstance(want, bool) or isinstance(got, bool):
            return want is got
        if isinstance(want, (int, float)) and isinstance(got, (int, float)):
            return abs(want - got) <= slack
        return want == got


def show(value, limit=300):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 3] + "..."
