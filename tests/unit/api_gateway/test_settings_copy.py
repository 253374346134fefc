import asyncio
import subprocess
import sys
from pathlib import Path

from api_gateway.settings_copy import SettingsCopy
from contract.runtime_settings import STRICTEST, Choice

CHANGE_ON_A_FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from api_gateway.settings_copy import SettingsCopy
from contract.runtime_settings import Choice
resource.setrlimit(resource.RLIMIT_FSIZE, (5, 5))
asyncio.run(SettingsCopy(Path(sys.argv[1])).write(Choice(revision=2, saving=False, blur="mask")))
"""


def test_a_copy_that_cannot_be_replaced_is_read_as_the_strictest_choice(tmp_path: Path):
    path = tmp_path / "settings.json"
    asyncio.run(SettingsCopy(path).write(Choice(revision=1, saving=True, blur="off")))
    subprocess.run([sys.executable, "-c", CHANGE_ON_A_FULL_DISK, str(path)], check=True, capture_output=True)
    found = asyncio.run(SettingsCopy(path).read())
    assert found is not None
    assert (found.saving, found.blur) == (STRICTEST.saving, STRICTEST.blur)
