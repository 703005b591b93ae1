# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright: (c) 2026, aifactory.benchmark contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The types of a recipe's fields: what each accepts, for pydantic and for JSON Schema."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated, Any

from . import images, units
from .errors import describe
from .models import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

_SEED_LIMIT = 2**63
# A comma begins another mount, a backslash takes the meaning of what follows.
_VOLUME = re.compile(r"(?P<source>[^:,\\]+):(?P<target>/[^:,\\]*)(?::(?P<mode>ro|rw))?")
# sbatch splits a line #SBATCH at spaces, and knows quotes, backslashes and comments.
_SLURM_NAME = re.compile(r"[\w.@+,:/=&|()\[\]*!][\w.@+,:/=&|()\[\]*!-]*")
# Stands in a job script, in #SBATCH lines and in mounts.
_CLUSTER_PATH = re.compile(r"[~/][\w.@+=/-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NODE_NAMES = re.compile(r"[A-Za-z0-9._\[\],-]+")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What the agent sets in every container: a recipe's own value would be lost without a word.
_RESERVED_ENVIRONMENT = re.compile(
    r"(SERVICE_(NAME|HOSTNAME|PORT|URL|ADDRESS|DATA|SECRETS)|BENCHMARK_(ID|OUTPUT_DIR)|CLIENT_ID)"
)


def _image(value: Any) -> str:
    """A relative path of a definition file is left for the recipe's checker, which knows the folder."""
    if not isinstance(value, str):
        raise units.UnitError(f"expected an image reference, found {describe(value)}", images.REMEDY)
    try:
        if _CONTROL.search(value.strip()):
            raise images.ImageMistake("an image reference stands in one line, without control characters")
        if not images.is_definition(value.strip()):
            images.on_cluster(value)
    except images.ImageMistake as error:
        raise units.UnitError(str(error), error.remedy) from error
    return value.strip()


def _volume(value: Any) -> str:
    remedy = "write SOURCE:/TARGET, SOURCE:/TARGET:ro or SOURCE:/TARGET:rw"
    match = _VOLUME.fullmatch(value) if isinstance(value, str) and not _CONTROL.search(value) else None
    if not match:
        raise units.UnitError(
            f"expected a bind mount, found {describe(value)}", f"{remedy}, without commas and backslashes"
        )
    if posixpath.normpath(f"/{match['target'].lstrip('/')}").split("/")[1] == "aifactory":
        raise units.UnitError("the target /aifactory is the run's own directory", "mount it elsewhere")
    return value


def _node_names(value: Any) -> str:
    if not isinstance(value, str) or not _NODE_NAMES.fullmatch(value):
        raise units.UnitError(f"expected the name of a node, found {describe(value)}", "write node01 or node[01-04]")
    return value


def _environment_name(value: Any) -> str:
    if not isinstance(value, str) or not _ENVIRONMENT_NAME.fullmatch(value):
        raise units.UnitError(f"{describe(value)} is no name of an environment variable", "use letters, digits and '_'")
    if _RESERVED_ENVIRONMENT.fullmatch(value):
        raise units.UnitError(f"{value} is set by the run itself", "choose another name")
    return value


def _secret_file(value: Any) -> str:
    remedy = "write ~/… or /…: a file of the controller"
    if not isinstance(value, str) or not value.startswith(("/", "~/")):
        raise units.UnitError(f"expected the path of a file, found {describe(value)}", remedy)
    return value


def _list_of_one(value: Any) -> Any:
    return [value] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else value


def _one_line(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.rstrip("\r\n")
    if _CONTROL.search(text) or not text.strip():
        raise units.UnitError(
            "expected text in one line", "write it in one line, not empty, without control characters"
        )
    return text


def _slurm_name(value: Any) -> Any:
    value = _one_line(value)
    if isinstance(value, str) and not _SLURM_NAME.fullmatch(value):
        raise units.UnitError(
            f"expected a name that Slurm knows, found {describe(value)}", "write it without spaces, quotes, # and $"
        )
    return value


def _cluster_path(value: Any) -> Any:
    if isinstance(value, str) and not _CLUSTER_PATH.fullmatch(value):
        raise units.UnitError(
            f"expected a path of the cluster, found {describe(value)}",
            "it begins with /, and has letters, digits and . _ - + = @ only",
        )
    return value


def _http_path(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"/[!-~]*", value):
        raise units.UnitError(
            f"expected the path of a URL, found {describe(value)}", "it begins with /; write other characters as %XX"
        )
    return value


def _or_list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "array", "items": schema}]}


_DURATION_SCHEMA = {
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9]"}],
    "examples": ["10s", "5m", "01:30:00"],
}
_RATE_SCHEMA = {
    "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^(max|[0-9.]+ *%)$"}]
}

Duration = Annotated[
    float, PlainValidator(units.duration_s), PlainSerializer(units.format_duration), WithJsonSchema(_DURATION_SCHEMA)
]
TimeLimit = Annotated[
    int,
    PlainValidator(units.time_limit_s),
    PlainSerializer(units.format_clock),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": r"^[0-9]"}, {"type": "integer", "minimum": 1}],
            "examples": ["00:30:00", "1-00:00:00"],
        }
    ),
]
Memory = Annotated[
    int,
    PlainValidator(units.memory_bytes),
    PlainSerializer(units.format_memory),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+ *[KMGTkmgt](i?[Bb])?$", "examples": ["16GiB", "512MB"]}),
]
Rate = Annotated[float | str, PlainValidator(units.rate), WithJsonSchema(_RATE_SCHEMA)]
Rates = Annotated[
    list[Rate], BeforeValidator(_list_of_one), Field(min_length=1), WithJsonSchema(_or_list(_RATE_SCHEMA))
]
Concurrencies = Annotated[
    list[Annotated[int, Field(ge=1)]],
    BeforeValidator(_list_of_one),
    Field(min_length=1),
    WithJsonSchema(_or_list({"type": "integer", "minimum": 1})),
]
Share = Annotated[
    float,
    PlainValidator(units.share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                {"type": "string", "pattern": "^[0-9.]+ *%$"},
            ],
            "examples": [0.05, "5%"],
        }
    ),
]
Word = Annotated[str, BeforeValidator(_one_line)]
SlurmName = Annotated[
    str, BeforeValidator(_slurm_name), WithJsonSchema({"type": "string", "pattern": r"^[^\s'\"#\\$;`-]"})
]
ClusterPath = Annotated[str, BeforeValidator(_cluster_path)]
HttpPath = Annotated[str, BeforeValidator(_http_path), WithJsonSchema({"type": "string", "pattern": "^/[!-~]*$"})]
Image = Annotated[str, PlainValidator(_image), WithJsonSchema({"type": "string", "minLength": 1})]
Volume = Annotated[
    str, PlainValidator(_volume), WithJsonSchema({"type": "string", "pattern": "^[^:]+:/[^:]*(:(ro|rw))?$"})
]
NodeNames = Annotated[str, PlainValidator(_node_names), WithJsonSchema({"type": "string"})]
EnvironmentName = Annotated[
    str, PlainValidator(_environment_name), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"})
]
SecretFile = Annotated[str, PlainValidator(_secret_file), WithJsonSchema({"type": "string", "pattern": "^(~/|/)"})]
Words = Annotated[list[Word], BeforeValidator(_list_of_one), WithJsonSchema(_or_list({"type": "string"}))]
NodeList = Annotated[list[NodeNames], BeforeValidator(_list_of_one), WithJsonSchema(_or_list({"type": "string"}))]
Seed = Annotated[int, Field(ge=0, lt=_SEED_LIMIT)]
Commands = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    BeforeValidator(_list_of_one),
    WithJsonSchema(_or_list({"type": "string", "minLength": 1})),
]
Environment = Annotated[
    dict[EnvironmentName, str],
    WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}),
]
