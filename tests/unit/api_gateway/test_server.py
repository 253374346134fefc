"""Libraries that the gateway process loads before the first request for a picture."""

import subprocess
import sys


def test_a_gateway_without_viewers_has_not_loaded_the_libraries_for_pictures_and_migrations():
    script = (
        "import sys, api_gateway.server; "
        "print([name for name in ('cv2', 'alembic', 'psycopg', 'openvino') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
