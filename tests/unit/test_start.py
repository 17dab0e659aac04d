"""What is loaded before the window is on the screen."""

import subprocess
import sys


def test_the_window_does_not_wait_for_redis_and_bullmq() -> None:
    code = "import sys, ethereal_gui.app; print(sorted({'redis', 'bullmq', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
