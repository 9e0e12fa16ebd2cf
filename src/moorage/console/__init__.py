"""The console: a web UI over the operations of the API, with pages that are made on the server."""
