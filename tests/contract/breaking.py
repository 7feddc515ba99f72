"""Says what in openapi/openapi.json breaks a promise made before.

Promises are openapi/released.json, the document of the last release, and every document that the main line of git has had since
that file was last renewed (in a shallow clone: as many as there are). Whoever breaks a promise on purpose renews the file:
`cp openapi/openapi.json openapi/released.json`, and says so in CHANGELOG.md.

No kept tool on npm or PyPI knows OpenAPI 3.1: openapi-diff stops at 3.0, optic is archived, oasdiff comes as Go only. What breaks is
little, once it is said as one rule: a request that was good stays good, and an answer still is what it was said to be. So a new
request schema admits all that the old one admitted, and an old answer schema all that the new one admits, unknown fields aside, and
words of which it said that more may come.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT, RELEASED = "openapi/openapi.json", "openapi/released.json"
METHODS = {"get", "put", "post", "delete", "patch"}
AT_MOST = ("maxLength", "maximum", "maxItems", "maxProperties")
AT_LEAST = ("minLength", "minimum", "minItems", "minProperties")


class Document:
    def __init__(self, document):
        self.document = document

    def resolved(self, part):
        while isinstance(part, dict) and "$ref" in part:
            found = self.document
            for token in part["$ref"].removeprefix("#/").split("/"):
                found = found[token.replace("~1", "/").replace("~0", "~")]
            part = found
        return part

    def operations(self):
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if method in METHODS:
                    yield f"{method.upper()} {path}", operation


class Admission:
    """Whether all that schema `a` (of document `of_a`) admits is admitted by `b`. Of answers, `b` is the promise."""

    def __init__(self, of_a, of_b, is_answer):
        self.of_a, self.of_b, self.is_answer = of_a, of_b, is_answer
        self.seen = set()

    def faults(self, a, b, at=""):
        names = (a.get("$ref"), b.get("$ref"))
        if None not in names:
            if names in self.seen:
                return
            self.seen.add(names)
        a, b = self.of_a.resolved(a), self.of_b.resolved(b)
        yield from self.values(a, b, at)
        yield from self.members(a, b, at)
        for word in ("items", "propertyNames"):
            if word in b:
                yield from self.faults(a.get(word, {}), b[word], f"{at}/{word}")

    def values(self, a, b, at):
        branches_a, branches_b = branches(a), branches(b)
        if len(branches_b) > 1 or len(branches_a) > 1:
            for branch in branches_a:
                if not any(not list(Admission(self.of_a, self.of_b, self.is_answer).faults(branch, other)) for other in branches_b):
                    yield f"{at}: {short(branch)} is none of {short(branches_b)}"
            return
        if types(b) and not types(a) <= types(b) and not (types(a) == {"integer"} and "number" in types(b)):
            yield f"{at}: type {sorted(types(a))}, not {sorted(types(b))}"
        if "enum" in b and not self.may_grow(b) and not set(map(str, a.get("enum", ["…"]))) <= set(map(str, b["enum"])):
            yield f"{at}: enum {a.get('enum')}, not {b['enum']}"
        for word in ("pattern", "format", "const"):
            if word in b and "enum" not in a and a.get(word) != b[word]:
                yield f"{at}: {word} {a.get(word)}, not {b[word]}"
        if "enum" not in a:
            for word in AT_MOST:
                if word in b and a.get(word, float("inf")) > b[word]:
                    yield f"{at}: {word} {a.get(word)}, not {b[word]}"
            for word in AT_LEAST:
                if b.get(word, 0 if word != "minimum" else float("-inf")) > a.get(word, 0 if word != "minimum" else float("-inf")):
                    yield f"{at}: {word} {a.get(word)}, not {b[word]}"

    def may_grow(self, b):
        """Whether readers were told, where the words of an answer are promised, that others may join them."""
        return self.is_answer and "More may come." in b.get("description", "")

    def members(self, a, b, at):
        mine, theirs = a.get("properties", {}), b.get("properties", {})
        for name in sorted(set(b.get("required", [])) - set(a.get("required", []))):
            yield f"{at}/{name}: " + ("no longer always there" if self.is_answer else "now required")
        for name in mine:
            if name in theirs:
                yield from self.faults(mine[name], theirs[name], f"{at}/{name}")
            elif b.get("additionalProperties") is False and not self.is_answer:
                yield f"{at}/{name}: removed"
        if self.is_answer:
            for name in theirs:
                if name not in mine:
                    yield f"{at}/{name}: removed"
        rest_a, rest_b = a.get("additionalProperties", True), b.get("additionalProperties", True)
        if isinstance(rest_a, dict) and isinstance(rest_b, dict):
            yield from self.faults(rest_a, rest_b, f"{at}/*")
        elif rest_a is not False and rest_b is False and not self.is_answer:
            yield f"{at}: other fields are no longer taken"


def branches(schema):
    return schema.get("oneOf") or schema.get("anyOf") or [schema]


def types(schema):
    given = schema.get("type", [])
    return {given} if isinstance(given, str) else set(given)


def short(value):
    text = json.dumps(value)
    return text if len(text) < 120 else text[:117] + "…"


def broken(old, new):
    """Every promise of the old document that the new one does not keep."""
    old, new = Document(old), Document(new)
    now = dict(new.operations())
    for name, before in old.operations():
        after = now.get(name)
        if after is None:
            yield f"{name}: removed"
            continue
        if before.get("operationId") != after.get("operationId"):
            yield f"{name}: operationId {after.get('operationId')}, not {before.get('operationId')}"
        # Another way in breaks nobody; a way that is gone does, as does a first one where everybody was let in.
        was, is_now = before.get("security") or [{}], after.get("security") or [{}]
        if not all(way in is_now for way in was):
            yield f"{name}: security {after.get('security')}, not {before.get('security')}"
        for fault in [*parameters(old, before, new, after), *body(old, before, new, after), *answers(old, before, new, after)]:
            yield f"{name}: {fault}"


def parameters(old, before, new, after):
    def named(document, operation):
        resolved = map(document.resolved, operation.get("parameters", []))
        return {(parameter["in"], parameter["name"]): parameter for parameter in resolved}

    was, now = named(old, before), named(new, after)
    for (where, name), parameter in was.items():
        if (where, name) not in now:
            yield f"{where} parameter {name}: removed"
            continue
        if now[where, name].get("required") and not parameter.get("required"):
            yield f"{where} parameter {name}: now required"
        for fault in Admission(old, new, False).faults(parameter["schema"], now[where, name]["schema"]):
            yield f"{where} parameter {name}{fault}"
    for (where, name), parameter in now.items():
        if parameter.get("required") and (where, name) not in was:
            yield f"{where} parameter {name}: new, and required"


def body(old, before, new, after):
    was, now = old.resolved(before.get("requestBody", {})), new.resolved(after.get("requestBody", {}))
    if now.get("required") and not was.get("required"):
        yield "request body: now required"
    for media_type, content in was.get("content", {}).items():
        if media_type not in now.get("content", {}):
            yield f"request body: {media_type} is no longer taken"
            continue
        for fault in Admission(old, new, False).faults(content["schema"], now["content"][media_type]["schema"]):
            yield f"request body {fault}"


def answers(old, before, new, after):
    for status, response in before["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in after["responses"]:
            yield f"{status}: removed"
            continue
        was, now = old.resolved(response), new.resolved(after["responses"][status])
        for header in was.get("headers", {}):
            if header not in now.get("headers", {}):
                yield f"{status}: header {header} is removed"
        for media_type, content in was.get("content", {}).items():
            if media_type not in now.get("content", {}):
                yield f"{status}: {media_type} is removed"
                continue
            for fault in Admission(new, old, True).faults(now["content"][media_type]["schema"], content["schema"]):
                yield f"{status} {media_type} {fault}"


def git(*arguments):
    ran = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    return ran.stdout if ran.returncode == 0 else ""


def promises():
    """Every document that was promised, and by what."""
    yield RELEASED, json.loads((ROOT / RELEASED).read_text())
    renewed = git("log", "-1", "--first-parent", "--format=%H", "--", RELEASED).strip()
    if renewed:
        for commit in git("log", "--first-parent", "--format=%h", f"{renewed}..HEAD", "--", DOCUMENT).split():
            if document := git("show", f"{commit}:{DOCUMENT}"):
                yield commit, json.loads(document)


def main():
    new = json.loads((ROOT / DOCUMENT).read_text())
    compared, faults = 0, []
    for source, old in promises():
        compared += 1
        faults += [f"{source}: {fault}" for fault in broken(old, new)]
    print(*faults, sep="\n")
    print(f"{len(faults)} breaking changes against {compared} documents")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
