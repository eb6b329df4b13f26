# SPDX-License-Identifier: Apache-2.0
"""Answers held against the schemas of openapi.json. A member that the schema does not name is a fault too: the document tells all."""
import re

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
KEYWORDS = {"type", "properties", "required", "items", "$ref", "format", "enum", "description", "additionalProperties"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Schemas:
    def __init__(self, document):
        self.document = document
        self.paths = [(re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + "$"), path) for path in document["paths"]]
        self.seen = set()  # (operationId, status)

    def operation(self, method, path):
        """What openapi.json says of a request; a path without {} goes first."""
        found = [p for pattern, p in self.paths if pattern.match(path.split("?")[0])]
        found.sort(key=lambda p: p.count("{"))
        return self.document["paths"][found[0]].get(method.lower()) if found else None

    def check(self, method, path, status, content_type, answer):
        operation = self.operation(method, path)
        where = f"{method} {path} {status}"
        if operation is None or str(status) not in operation["responses"]:
            content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
            assert status >= 400, where
        else:
            content = operation["responses"][str(status)]["content"]
        kind = (content_type or "").split(";")[0]
        assert kind in content, (where, content_type)
        faults = []
        self.look(content[kind]["schema"], answer, "", faults)
        assert not faults, (where, faults[:10])
        if status >= 300:
            assert answer["status"] == status and answer["type"] == "urn:sluice:error:" + answer["code"], where
        if operation:
            self.seen.add((operation["operationId"], status))

    def look(self, schema, value, at, faults):
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        assert not set(schema) - KEYWORDS, schema
        if "type" not in schema:
            return
        kind = schema["type"]
        if isinstance(kind, list):  # or null
            if value is None:
                return
            kind = kind[0]
        if not isinstance(value, TYPES[kind]) or (kind == "integer" and isinstance(value, bool)):
            faults.append(f"{at}: {value!r:.80} is no {kind}")
        elif kind == "object" and "properties" in schema:
            faults.extend(f"{at}: {name} is missing" for name in schema["required"] if name not in value)
            for name, member in value.items():
                if name in schema["properties"]:
                    self.look(schema["properties"][name], member, f"{at}.{name}", faults)
                elif not schema.get("additionalProperties"):
                    faults.append(f"{at}: {name} is not told of")
        elif kind == "array":
            for i, one in enumerate(value):
                self.look(schema["items"], one, f"{at}[{i}]", faults)
        elif "enum" in schema and value not in schema["enum"]:
            faults.append(f"{at}: {value!r} is none of {schema['enum']}")
        elif schema.get("format") == "date-time" and not TIME.fullmatch(value):
            faults.append(f"{at}: {value!r} is no time")


FLINK = re.compile(r"/+(v[1-4]/+)?(info|api_versions|sessions)(?=/|\?|$)")


class FlinkSchemas(Schemas):
    """The same of flink-openapi.json: paths with a version or without, errors in Flink's form."""

    def operation(self, method, path):
        path = re.sub("/+", "/", path.split("?")[0]).rstrip("/")
        return super().operation(method, re.sub("^/v[1-4](?=/)", "", path))

    def check(self, method, path, status, content_type, answer):
        operation, faults = self.operation(method, path), []
        where = f"{method} {path} {status}"
        assert (content_type or "").split(";")[0] == "application/json", (where, content_type)
        if status == 200:
            assert operation, where
            self.look(operation["responses"]["200"]["content"]["application/json"]["schema"], answer, "", faults)
            self.seen.add((operation["operationId"], int(operation["tags"][0][-1])))
        else:
            assert status >= 400, where
            self.look({"$ref": "#/components/schemas/ErrorResponseBody"}, answer, "", faults)
        assert not faults, (where, faults[:10])
