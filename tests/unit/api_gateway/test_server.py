"""What the process of the gateway loads before somebody asks for a picture."""

import subprocess
import sys


def test_a_gateway_that_nobody_watches_has_loaded_nothing_that_only_pictures_and_migrations_need():
    script = (
        "import sys, api_gateway.server; "
        "print([name for name in ('cv2', 'alembic', 'psycopg', 'openvino') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
