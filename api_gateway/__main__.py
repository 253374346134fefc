"""`python -m api_gateway`: the web page and the interfaces for programs."""

from api_gateway.server import serve
from api_gateway.settings import GatewaySettings
from contract.redis.server_check import check_server
from contract.service import logs
from contract.service.lifecycle import private_files, run, stop_on_signal, stop_with_parent
from contract.service.memory import keep_freed
from contract.service.settings import load


def main() -> None:
    """Serve until a signal stops it."""
    private_files()
    keep_freed()
    settings = load(GatewaySettings)
    logs.configure(service="gateway", level=settings.log_level, as_json=settings.log_json)
    check_server(settings.redis_url)
    with stop_on_signal() as stop:
        stop_with_parent(stop)
        serve(settings, stop)


if __name__ == "__main__":
    run(main)
