"""The browser of the tests is the machine's own Chromium, told to speak to nobody but us."""

import os
import shutil

from tests.support.servers.missing import MissingServer

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def chromium() -> str:
    """The path of Chromium, for Playwright's `executable_path` together with FLAGS."""
    chosen = os.environ.get("QUARTERDECK_CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise MissingServer("No Chromium here: install the package chromium.")
    return found
