"""Whether a manifest is one that Kubernetes, KEDA or the Prometheus operator would take.

Kubernetes' own schemas, strict, come from the package kubernetes-validate. Those of KEDA (2.16) and
the Prometheus operator (0.80) are made from the models of their resource definitions that
cloudcoil's packages carry, with fields that they do not name refused.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import jsonschema
import pytest

Json = dict[str, Any]
NEWER_THAN_THE_MODELS = {"fallback": {"behavior"}}
"""KEDA has it since 2.17: keda.sh/docs/2.18/reference/scaledobject-spec, "fallback.behavior"."""
BEHAVIORS = {"static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"}


def check(manifest: Json, kubernetes: str) -> None:
    """Raise an error that names what is wrong with `manifest`; `kubernetes`: such as `1.37`."""
    if manifest["apiVersion"].startswith(("keda.sh/", "monitoring.coreos.com/")):
        _check_custom(manifest)
        return
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    kubernetes_validate.validate(manifest, kubernetes, strict=True)


def _check_custom(manifest: Json) -> None:
    spec = dict(manifest["spec"])
    if fallback := spec.get("fallback"):
        assert fallback.get("behavior", "static") in BEHAVIORS
        spec["fallback"] = {
            key: value
            for key, value in fallback.items()
            if key not in NEWER_THAN_THE_MODELS["fallback"]
        }
    schema = _schema(manifest["apiVersion"], manifest["kind"])
    jsonschema.Draft202012Validator(schema).validate({**manifest, "spec": spec})


@cache
def _schema(api: str, kind: str) -> Json:
    group, version = api.split("/")
    package = {"keda.sh": "keda", "monitoring.coreos.com": "prometheus_operator"}[group]
    models = pytest.importorskip(f"cloudcoil.models.{package}.{version}")
    schema = getattr(models, kind).model_json_schema(by_alias=True)
    _close(schema)
    return schema


def _close(schema: Any) -> None:
    """Refuse what no property names: a misspelled field is ignored by a cluster."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
        if not _is_expression(schema.get("pattern")):
            del schema["pattern"]
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)


def _is_expression(pattern: Any) -> bool:
    """Whether Python reads a pattern that was written for Go, too."""
    try:
        re.compile(pattern if isinstance(pattern, str) else "")
    except re.error:
        return False
    return True
