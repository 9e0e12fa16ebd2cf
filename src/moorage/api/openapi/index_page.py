"""/ for browsers: where the server's documentation is, and a guide of one screen."""

from html import escape

from moorage.api.openapi.docs_page import STYLE

_GUIDE = """\
export MOORAGE_URL=…                        # the address of this page
export MOORAGE_API_KEY=mrg_…                # the server printed it at its first start
moorage deployments list
moorage export prompts/                     # a file for each deployment
$EDITOR prompts/KEY.yaml                    # change a prompt
moorage diff prompts/                       # what would change
moorage apply prompts/                      # publish it
moorage deployments get-config KEY          # what to send to the model
moorage deployments undo KEY                # return to the previous version"""


def index_page(version: str, deployments: int, docs: str, openapi: str) -> str:
    """Return the HTML page. It loads nothing and runs nothing."""
    count = f"{deployments:,} deployment{'' if deployments == 1 else 's'}"
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Moorage</title><style>{STYLE}</style><body>"
        f"<h1>Moorage <small>{escape(version)}</small></h1><p>This server has {count}.</p>"
        f"<p><a href='{escape(docs)}'>API documentation</a> · <a href='{escape(openapi)}'>OpenAPI document</a> · "
        "<a href='#guide'>Guide</a></p>"
        f"<h2 id='guide'>Guide</h2><p>List, change, preview, publish and undo a prompt:</p>"
        f"<pre>{escape(_GUIDE)}</pre><p>An application fetches a prompt with one request:</p>"
        f"<pre>{escape(_REQUEST)}</pre></body></html>"
    )


_REQUEST = """\
curl -H "Authorization: Bearer $MOORAGE_API_KEY" \\
  "$MOORAGE_URL/v2/deployments/get_config" -d '{"key": "KEY", "inputs": {}}'"""
