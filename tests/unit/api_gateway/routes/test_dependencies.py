"""The routes get their services from one module."""

import re
from pathlib import Path

import api_gateway

PACKAGE = Path(api_gateway.__file__).parent


def test_only_the_dependencies_read_the_state_of_the_application_and_only_the_application_fills_it():
    users = {path.name for path in PACKAGE.rglob("*.py") if re.search(r"app\.state", path.read_text())}
    assert users == {"app.py", "dependencies.py"}


def test_no_route_imports_the_gateway_or_http_exceptions():
    routes = [path for path in (PACKAGE / "routes").glob("*.py") if path.name != "dependencies.py"]
    assert len(routes) > 12
    importers = {path.name for path in routes if re.search(r"api_gateway\.gateway|HTTPException", path.read_text())}
    assert importers == set()


def test_no_service_imports_the_table_of_http_errors():
    services = [path for path in PACKAGE.glob("*/*.py") if path.parent.name != "routes"]
    assert len(services) > 40
    importers = {path.name for path in services if "api_gateway.errors" in path.read_text()}
    assert importers == set()
