"""`make screenshots`: write a picture of each screen of the console in light and dark, wide and narrow."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.console.browser import CHROMIUM, VARIANTS, new_session, open_browser, open_page
from tests.console.samples import SCREENS, running_samples


def main(folder: str = "screenshots") -> None:
    """Write the pictures into a folder."""
    if CHROMIUM is None:
        sys.exit("There is no chromium: apt-get install chromium")
    Path(folder).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary, running_samples(Path(temporary)) as samples, open_browser() as browser:
        session = new_session(browser, samples.server.url, samples.token)
        for screen in SCREENS:
            for variant in VARIANTS:
                state = session if screen.is_signed_in else None
                with open_page(browser, samples.server.url, variant, state=state) as page:
                    page.goto(screen.path)
                    page.screenshot(path=Path(folder) / f"{screen.name}-{variant}.png", full_page=True)
    print(f"{len(SCREENS) * len(VARIANTS)} pictures are in {folder}/")


if __name__ == "__main__":
    main(*sys.argv[1:])
