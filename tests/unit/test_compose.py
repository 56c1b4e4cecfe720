"""docker-compose.yml cannot run where there is no Docker engine, so it is read instead."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from doorstep.cli import build_parser
from doorstep.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "doorstep")

BUCKET_VARIABLES = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ENDPOINT",
    "AWS_REGION",
    "AWS_ALLOW_HTTP",
}
"""Read by the library of the blob store, not by our settings."""


def test_it_has_the_production_shape() -> None:
    assert OURS == ["api", "migrate", "worker"]
    assert SERVICES.keys() - set(OURS) == {"proxy", "postgres", "redis", "blobs", "bucket"}
    assert SERVICES["postgres"]["image"] == "postgres:18"


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name: str) -> None:
    program, *arguments = SERVICES[name]["command"]
    assert program == "doorstep"
    assert callable(build_parser().parse_args(arguments).run)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_exists(name: str) -> None:
    known = {field.upper() for field in Settings.__struct_fields__} | BUCKET_VARIABLES
    assert SERVICES[name]["environment"].keys() <= known


def test_every_adapter_key_of_the_settings_can_be_given() -> None:
    """A key that compose does not hand on could never be set."""
    secrets = re.compile(r"_(urls?|keys?|secrets?|token|oauth|account)$")
    wanted = {name.upper() for name in Settings.__struct_fields__ if secrets.search(name)}
    assert wanted - {"SANDBOX_TARGET_URL"} <= SERVICES["api"]["environment"].keys()


def test_what_a_service_waits_for_exists() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for {other}"


def test_the_api_is_asked_for_its_health_where_it_listens() -> None:
    options = build_parser().parse_args(SERVICES["api"]["command"][1:])
    assert f":{options.port}/health/ready" in SERVICES["api"]["healthcheck"]["test"][-1]
    assert f"reverse_proxy api:{options.port}" in COMPOSE["configs"]["caddyfile"]["content"]


def test_only_the_proxy_is_open_to_the_world() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_the_trusted_proxy_is_the_proxy() -> None:
    address = SERVICES["proxy"]["networks"]["inside"]["ipv4_address"]
    assert SERVICES["api"]["environment"]["TRUSTED_PROXIES"] == address


def test_redis_loses_nothing_by_eviction() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_no_secret_is_written_down() -> None:
    secret = re.compile(r"(PASSWORD|SECRET|_KEY|_KEYS|TOKEN)")
    for service in SERVICES.values():
        for name, text in service.get("environment", {}).items():
            if secret.search(name):
                assert str(text).startswith("${"), name
