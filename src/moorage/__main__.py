"""The program `moorage`, and `python -m moorage`.

`pip install moorage` installs the client library alone, so the packages of the command line can be missing.
"""

import sys
from importlib.util import find_spec

#: The packages of the extra `server`.
PACKAGES = (
    "aiohttp", "apsw", "click", "cryptography", "granian", "jinja2", "prometheus_client", "python_multipart", "yaml",
    "rich", "starlette", "uuid_utils", "uvloop",
)  # fmt: skip


def main() -> None:
    """Run a command."""
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        sys.exit(
            "The server and the command line of Moorage need packages that are not installed"
            f" ({', '.join(missing)}). Run: pip install 'moorage[server]'"
        )
    from moorage.cli.main import main as run  # noqa: PLC0415 -- it needs those packages

    run(prog_name="moorage")


if __name__ == "__main__":
    main()
